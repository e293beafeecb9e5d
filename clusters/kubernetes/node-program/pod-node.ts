import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { loadLinux } from '../../../fakes/kubelet/linux.ts';
import { parseLine } from '../../../fakes/lines.ts';
import { type Program, startProgram } from '../../../fakes/program.ts';
import { S3Client } from '../../../fakes/store/s3-client.ts';
import { monotonicNow } from '../../../recovery/clock.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import type { HistoryEvent } from '../../../src/timeline/record.ts';
import type { ContainerRef, ProgramRun, Usage } from '../../cluster.ts';
import { memoryCgroups } from '../../node/cgroups.ts';
import { type ForeignReadiness, foreignReadiness } from '../../node/foreign-readiness.ts';
import { daemonEvent, roleOf, toEvent } from '../../node/log-events.ts';
import { readMountTable } from '../../node/mount-table.ts';
import { type NodeContainer, type NodeListeners, type NodeParts, NodeProgram } from '../../node/node-program.ts';
import { usageOfTree } from '../../node/usage.ts';
import { processesOf, WatchedContainers } from './containers.ts';
import { bundleFiles, bundleInImage, programFiles } from './in-image.ts';
import { releaseShared, removeLeftovers } from './leftovers.ts';
import type { CriLine } from './pod-logs.ts';
import { type LoggedContainer, PodLogs } from './pod-logs.ts';
import type { NodeFacts, PodNodeProcedures, SessionOptions } from './protocol.ts';
import { sampleFiles } from './sample-files.ts';
import { findServingDaemon, type ServingDaemon } from './serving-daemon.ts';

const podLogs = '/var/log/pods';
/** Fluid's default. */
const mountRoot = '/runtime-mnt';
const requestMs = 10_000;
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
const inBundle = (file: string) => join(bundleInImage, file);

export interface PodNodeListeners extends NodeListeners {
  readonly onLog: (container: string, text: string) => void;
}

/** A real node, seen from a pod on it that shares the node's PID namespace. */
export class PodNode extends NodeProgram implements PodNodeProcedures {
  readonly #onLog: PodNodeListeners['onLog'];
  readonly #linux = loadLinux();
  readonly #watched: WatchedContainers;
  #options: SessionOptions | undefined;
  #parts: NodeParts | undefined;
  #foreign: ForeignReadiness | undefined;
  #startedAt = monotonicNow();

  constructor(listeners: PodNodeListeners) {
    super(listeners);
    this.#onLog = listeners.onLog;
    this.#watched = new WatchedContainers((event) => (this.#foreign ? this.#foreign.take(event) : this.#report(event)));
  }

  async start(options: SessionOptions): Promise<NodeFacts> {
    this.#options = options;
    this.#startedAt = monotonicNow();
    const { NODE_NAME: node = '', POD_IP: address = '127.0.0.1' } = process.env;
    const memory = memoryCgroups(`rekindle-${options.runId}`, environment);
    this.#parts = {
      linux: this.#linux,
      memory,
      environment,
      probe: [process.execPath, inBundle(programFiles.probe)],
      init: 1,
      confirmsMounts: options.confirmsMounts,
      store: openStore(options.store),
      address,
    };
    if (!options.fakeDaemon)
      this.#foreign = foreignReadiness({
        onEvent: (event) => this.#report(event),
        prober: [process.execPath, inBundle(bundleFiles.prober)],
        mountRoot,
        nodeMountNamespace: '/proc/1/ns/mnt',
      });
    new PodLogs({
      directory: podLogs,
      wants: ({ namespace, pod }) => namespace.startsWith(options.namespacePrefix) || this.#isAgent({ namespace, pod }),
      onContainer: (container) => void this.#watched.watch(container, this.#identify(container)),
      onLine: (container, line) => this.#parseOutput(container, line),
    });
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { node, bootId, memoryCgroups: memory !== undefined, kernel: release() };
  }

  async ping(): Promise<number> {
    return monotonicNow();
  }

  protected override startProgram({ program, args, target }: ProgramRun): Program {
    const script = inBundle(programFiles[program]);
    // The other programs read all of /proc, which is the node's here, too.
    const pid = target ? this.container(target).pid : 1;
    const entered = script.endsWith('.cjs') ? [inBundle(bundleFiles.enter), String(pid)] : [];
    return startProgram([process.execPath, ...entered, script, ...args], { env: environment, cwd: '/' });
  }

  async endExec(target: ContainerRef, command: readonly string[]): Promise<void> {
    const commandLine = `${command.join('\0')}\0`;
    const pids = podUids(target).flatMap((podUid) => processesOf({ podUid, name: target.container }));
    for (const pid of pids)
      if (readCommandLine(pid) === commandLine) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
  }

  async holdRestarts({ namespace, pod }: ContainerRef): Promise<AsyncDisposable> {
    const folder = `/proc/1/root${this.#running.holds}`;
    const file = join(folder, `${namespace}.${pod}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, '');
    return { [Symbol.asyncDispose]: async () => rmSync(file, { force: true }) };
  }

  async restartKubelet(): Promise<number> {
    const at = monotonicNow();
    await execa('nsenter', ['--target=1', '--mount', '--', 'systemctl', 'restart', 'kubelet']);
    return at;
  }

  async releaseShared(podUid: string): Promise<void> {
    releaseShared(this.#linux, podUid);
  }

  async usage(target: ContainerRef): Promise<Usage> {
    return usageOfTree(this.container(target).pid);
  }

  async servingDaemon(target: ContainerRef, path: string): Promise<ServingDaemon> {
    const mounts = parseMountinfo(readMountTable(this.container(target).pid).join('\n'));
    const mount = mounts.findLast(({ mountPoint }) => mountPoint === path);
    if (mount === undefined) throw new Error(`${target.pod} has no mount at ${path}`);
    return findServingDaemon(mount.device);
  }

  async killServingDaemon(target: ContainerRef, path: string, pids: readonly number[]): Promise<number> {
    const now = await this.servingDaemon(target, path);
    if (!isDeepStrictEqual(now.pids, pids))
      throw new Error(`another process serves it now: ${now.pids.join(', ')} (${now.command})`);
    const at = monotonicNow();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return at;
  }

  async sampleFiles(target: ContainerRef, path: string): Promise<Readonly<Record<string, string>>> {
    return sampleFiles(this.container(target).pid, path);
  }

  async leftovers(namespace: string): Promise<readonly string[]> {
    return removeLeftovers(this.#linux, namespace);
  }

  protected override get parts(): NodeParts {
    if (!this.#parts) throw new Error('the session has not started');
    return this.#parts;
  }

  protected override container(target: ContainerRef): NodeContainer {
    const { namespace, pod, container } = target;
    const found = podUids(target)
      .map((uid) => this.#watched.find(uid, container))
      .find((container) => container !== undefined);
    if (!found) throw new Error(`container ${namespace}/${pod}/${container} is not running`);
    return found;
  }

  get #running(): SessionOptions {
    if (!this.#options) throw new Error('the session has not started');
    return this.#options;
  }

  #isAgent({ namespace, pod }: { readonly namespace: string; readonly pod: string }): boolean {
    const { agent } = this.#running;
    return namespace === agent.namespace && pod.startsWith(agent.podPrefix);
  }

  #identify(logged: LoggedContainer) {
    const { agent } = this.#running;
    if (this.#isAgent(logged) && logged.container === agent.container)
      return { role: 'agent' as const, name: agent.podPrefix.replace(/-$/, '') };
    const name = `${logged.namespace}/${logged.pod}/${logged.container}`;
    return { role: roleOf(name), name };
  }

  /** A container's output goes to its log. Structured lines of daemons and of the agent are events, too. */
  #parseOutput(logged: LoggedContainer, { stream, text }: CriLine): void {
    const { role, name } = this.#identify(logged);
    if (this.#running.sendsLogs) this.#onLog(`${logged.namespace}/${logged.pod}/${logged.container}`, text);
    if (stream !== 'stdout' || !text.startsWith('{')) return;
    const event = role === 'agent' ? agentEvent(name, text) : role === 'daemon' ? daemonEvent(name, text) : undefined;
    if (!event || event.at < this.#startedAt) return;
    this.#report(event);
  }

  #report(event: HistoryEvent): void {
    this.listeners.onEvent(event);
    if (event.kind === 'process' && event.role === 'daemon' && event.change === 'ready') this.daemonReady(event.name);
  }
}

function agentEvent(name: string, text: string) {
  const line = parseLine(text);
  if (!line) return undefined;
  if (line.event === 'ready' && typeof line.ns === 'string')
    return { kind: 'process', at: Number(line.ns), role: 'agent', name, change: 'ready' } as const;
  return toEvent(line);
}

function openStore({ endpoint, bucket, accessKeyId, accessKeySecret }: SessionOptions['store']): NodeParts['store'] {
  const client = new S3Client({
    address: { endpoint, bucket },
    credentials: { accessKeyId, accessKeySecret },
    timeoutMs: requestMs,
  });
  return {
    endpoint,
    async putObject(key, body) {
      const put = await client.put(key, body);
      if (!put.ok) throw new Error(`the object store answered ${put.failure.code} when ${key} was put`);
    },
  };
}

/** The UIDs of all pods of a name that the kubelet keeps logs of. The newest may not be the one that runs. */
function podUids({ namespace, pod }: ContainerRef): readonly string[] {
  const prefix = `${namespace}_${pod}_`;
  return readdirSync(podLogs)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
