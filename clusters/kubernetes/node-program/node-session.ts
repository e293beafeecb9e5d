import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadLinux } from '../../../fakes/kubelet/linux.ts';
import { S3Client } from '../../../fakes/store/s3-client.ts';
import type { HistoryEvent } from '../../../src/timeline/record.ts';
import type { ContainerRef, Usage } from '../../cluster.ts';
import { memoryCgroups } from '../../node/cgroups.ts';
import { type ForeignReadiness, foreignReadiness } from '../../node/foreign-readiness.ts';
import { parseLine } from '../../node/lines.ts';
import { daemonEvent, roleOf, toEvent } from '../../node/log-events.ts';
import { type NodeContainer, type NodeListeners, type NodeParts, NodeVerbs } from '../../node/node-verbs.ts';
import { usageOfTree } from '../../node/usage.ts';
import { processesOf, WatchedContainers } from './containers.ts';
import { bundleFiles, bundleInImage, programFiles } from './in-image.ts';
import { leftoversOf, releaseShared } from './leftovers.ts';
import type { CriLine } from './pod-logs.ts';
import { type LoggedContainer, PodLogs } from './pod-logs.ts';
import type { NodeFacts, NodeProgramProcedures, SessionOptions } from './protocol.ts';

const podLogs = '/var/log/pods';
/** Fluid's own. */
const mountRoot = '/runtime-mnt';
const requestMs = 10_000;
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
const inBundle = (file: string) => join(bundleInImage, file);

export interface SessionListeners extends NodeListeners {
  readonly onLog: (container: string, text: string) => void;
}

/** One session of the harness with a real node, from a pod on it that has the node's processes. */
export class NodeSession extends NodeVerbs implements NodeProgramProcedures {
  readonly #listeners: SessionListeners;
  readonly #linux = loadLinux();
  readonly #watched: WatchedContainers;
  #options: SessionOptions | undefined;
  #parts: NodeParts | undefined;
  #store: S3Client | undefined;
  #foreign: ForeignReadiness | undefined;
  #began = now();

  constructor(listeners: SessionListeners) {
    super(listeners);
    this.#listeners = listeners;
    this.#watched = new WatchedContainers((event) => (this.#foreign ? this.#foreign.take(event) : this.#tell(event)));
  }

  async start(options: SessionOptions): Promise<NodeFacts> {
    this.#options = options;
    this.#began = now();
    const { NODE_NAME: node = '', POD_IP: address = '127.0.0.1' } = process.env;
    const { endpoint, bucket, accessKeyId, accessKeySecret } = options.store;
    const credentials = { accessKeyId, accessKeySecret };
    this.#store = new S3Client({ address: { endpoint, bucket }, credentials, timeoutMs: requestMs });
    const memory = memoryCgroups(`rekindle-${options.runId}`, environment);
    this.#parts = {
      linux: this.#linux,
      memory,
      environment,
      probe: [process.execPath, inBundle(programFiles.probe)],
      init: 1,
      store: endpoint,
      address,
    };
    if (!options.saysReady)
      this.#foreign = foreignReadiness({
        onEvent: (event) => this.#tell(event),
        prober: [process.execPath, inBundle(bundleFiles.prober)],
        mountRoot,
        nodeMountNamespace: '/proc/1/ns/mnt',
      });
    new PodLogs({
      directory: podLogs,
      wants: ({ namespace, pod }) => namespace.startsWith(options.namespacePrefix) || this.#isAgent({ namespace, pod }),
      onContainer: (container) => void this.#watched.watch(container, this.#castOf(container)),
      onLine: (container, line) => this.#take(container, line),
    });
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { node, bootId, memoryCgroups: memory !== undefined, kernel: release() };
  }

  async ping(): Promise<number> {
    return now();
  }

  async putObject({ key, base64 }: { key: string; base64: string }): Promise<void> {
    const put = await this.#store?.put(key, Buffer.from(base64, 'base64'));
    if (put?.ok !== true)
      throw new Error(`the object store answered ${put?.failure.code ?? 'nothing'} when ${key} was put`);
  }

  async fetchStatus({ url, headers }: { url: string; headers: Readonly<Record<string, string>> }): Promise<number> {
    const response = await fetch(url, { headers });
    await response.body?.cancel();
    return response.status;
  }

  async runProgram({ program, args, name, id, target }: Parameters<NodeProgramProcedures['runProgram']>[0]) {
    const script = inBundle(programFiles[program]);
    // What is no CommonJS reads all of /proc, which is the node's here too.
    const entered = script.endsWith('.cjs') ? [inBundle(bundleFiles.enter), String(this.#pidOf(target))] : [];
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    return this.follow(spawn(process.execPath, [...entered, script, ...args], { env: environment, stdio }), {
      name,
      id,
    });
  }

  async endExec({ target, command }: { target: ContainerRef; command: readonly string[] }): Promise<void> {
    const wanted = `${command.join('\0')}\0`;
    const pids = uidsOf(target).flatMap((podUid) => processesOf({ podUid, name: target.container }));
    for (const pid of pids)
      if (commandLine(pid) === wanted) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
  }

  async hold({ target, id }: { target: ContainerRef; id: number }): Promise<void> {
    const folder = `/proc/1/root${this.#running.holds}`;
    const file = join(folder, `${target.namespace}.${target.pod}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, '');
    this.keep(id, () => rmSync(file, { force: true }));
  }

  async restartKubelet(): Promise<number> {
    const at = now();
    await promisify(execFile)('nsenter', ['--target=1', '--mount', '--', 'systemctl', 'restart', 'kubelet']);
    return at;
  }

  async releaseShared({ podUid }: { podUid: string }): Promise<void> {
    releaseShared(this.#linux, podUid);
  }

  async usage({ target }: { target: ContainerRef }): Promise<Usage> {
    return usageOfTree(this.container(target).pid);
  }

  async leftovers({ namespace }: { namespace: string }): Promise<readonly string[]> {
    return leftoversOf(this.#linux, namespace);
  }

  protected get parts(): NodeParts {
    if (!this.#parts) throw new Error('the session has not started');
    return this.#parts;
  }

  protected container(target: ContainerRef): NodeContainer {
    const { namespace, pod, container } = target;
    const found = uidsOf(target)
      .map((uid) => this.#watched.find(uid, container))
      .find((one) => one !== undefined);
    if (!found) throw new Error(`container ${namespace}/${pod}/${container} is not running`);
    return found;
  }

  get #running(): SessionOptions {
    if (!this.#options) throw new Error('the session has not started');
    return this.#options;
  }

  #pidOf(target: ContainerRef | undefined): number {
    return target ? this.container(target).pid : 1;
  }

  #isAgent({ namespace, pod }: { readonly namespace: string; readonly pod: string }): boolean {
    const { agent } = this.#running;
    return namespace === agent.namespace && pod.startsWith(agent.podPrefix);
  }

  #castOf(logged: LoggedContainer) {
    const { agent } = this.#running;
    if (this.#isAgent(logged) && logged.container === agent.container)
      return { role: 'agent' as const, name: agent.podPrefix.replace(/-$/, '') };
    const name = `${logged.namespace}/${logged.pod}/${logged.container}`;
    return { role: roleOf(name), name };
  }

  /** A container's output goes to its log; what daemons and the agent say of themselves is history, too. */
  #take(logged: LoggedContainer, { stream, text }: CriLine): void {
    const { role, name } = this.#castOf(logged);
    const { onLog } = this.#listeners;
    onLog(`${logged.namespace}/${logged.pod}/${logged.container}`, text);
    if (stream !== 'stdout' || !text.startsWith('{')) return;
    const event = role === 'agent' ? agentEvent(name, text) : role === 'daemon' ? daemonEvent(name, text) : undefined;
    if (!event || event.at < this.#began) return;
    this.#tell(event);
  }

  #tell(event: HistoryEvent): void {
    this.#listeners.onEvent(event);
    if (event.kind === 'process' && event.role === 'daemon' && event.change === 'ready') this.becameReady(event.name);
  }
}

function agentEvent(name: string, text: string) {
  const line = parseLine(text);
  if (!line) return undefined;
  if (line.event === 'ready' && typeof line.ns === 'string')
    return { kind: 'process', at: Number(line.ns), role: 'agent', name, change: 'ready' } as const;
  return toEvent(line);
}

/** The pods of a namespace that the kubelet keeps logs of: until they are gone. */
function podsOf(namespace: string): readonly string[] {
  return readdirSync(podLogs).filter((name) => name.startsWith(`${namespace}_`));
}

/** Of the pods of a name, the newest of which may not be the one that runs. */
function uidsOf({ namespace, pod }: ContainerRef): readonly string[] {
  const prefix = `${namespace}_${pod}_`;
  return podsOf(namespace)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function now(): number {
  return Number(process.hrtime.bigint());
}
