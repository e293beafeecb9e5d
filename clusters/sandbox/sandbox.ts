import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { release as kernelRelease, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { kubeConfigText } from '../../fakes/apiserver/kubeconfig.ts';
import { versionOf } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { sandboxCapabilities } from '../capabilities.ts';
import {
  type AgentOptions,
  CannotRun,
  type Cluster,
  type ContainerRef,
  type RunningCluster,
  type RunningProgram,
  type StartOptions,
  type StoreTrouble,
} from '../cluster.ts';
import { watchKubernetesEvents } from '../kubernetes-events.ts';
import { hasKubectl, openTerminal, runCommandLine, withNamespace } from '../terminal.ts';
import { type AgentDaemonSet, keepAgentDaemonSet } from './agent-daemonset.ts';
import { probeProgram } from './bundles.ts';
import { programs } from './paths.ts';
import type { News, Started, SupervisorOptions } from './protocol.ts';
import { connectTo, type RemoteNode } from './remote-node.ts';

/** The default cluster: real kernel FUSE and the real agent, in private namespaces of this machine. */
export const sandbox: Cluster = {
  name: 'sandbox',
  async start(options) {
    options.signal.throwIfAborted();
    checkDaemon(options);
    await using stack = new AsyncDisposableStack();
    const scratch = mkdtempSync(join(tmpdir(), `rekindle-${options.runId}-`));
    // An empty directory: what was mounted on it was so in the sandbox's own namespace only.
    stack.defer(() => rmdirSync(scratch));
    const child = stack.adopt(spawnSupervisor(options), endSupervisor);
    const rests = new Map<number, string>();
    const remote = connectTo(child, (news) => receive(news, options, rests));
    const abort = () => child.kill('SIGKILL');
    options.signal.addEventListener('abort', abort);
    stack.defer(() => options.signal.removeEventListener('abort', abort));

    const started = await remote.call(
      'start',
      supervisorOptions(options, scratch, await probeProgram(options.programs.probe)),
    );
    stack.defer(() => remote.call('stop', {}).catch(() => {}));
    const kubeConfig = clientConfig(started);
    stack.use(await watchKubernetesEvents(kubeConfig, options.onEvent));
    const agent = { flags: options.agent };
    const restart = (flags: AgentOptions) => {
      agent.flags = flags;
      return remote.call('restartAgent', { agent: flags });
    };
    const daemonSet = stack.use(
      await keepAgentDaemonSet({
        kubeConfig,
        gate: options.agent.fuseRecovery,
        rollOut: (fuseRecovery) => restart({ ...agent.flags, fuseRecovery }),
      }),
    );
    return runningSandbox({ remote, started, kubeConfig, child, options, daemonSet, restart, life: stack.move() });
  },
};

interface Parts {
  readonly remote: RemoteNode;
  readonly started: Started;
  readonly kubeConfig: KubeConfig;
  readonly child: ChildProcess;
  readonly options: StartOptions;
  readonly daemonSet: AgentDaemonSet;
  readonly restart: (agent: AgentOptions) => Promise<void>;
  readonly life: AsyncDisposableStack;
}

function runningSandbox({
  remote,
  started,
  kubeConfig,
  child,
  options,
  daemonSet,
  restart,
  life,
}: Parts): RunningCluster {
  const { environment, runId, programs: harness } = options;
  let lastId = 0;
  const ending = (id: number): AsyncDisposable => ({
    [Symbol.asyncDispose]: () => remote.call('end', { id }).catch(() => {}),
  });
  const run = (program: {
    readonly target?: ContainerRef;
    readonly command: readonly string[];
    readonly name: string;
  }): RunningProgram => {
    const id = ++lastId;
    const exited = remote.call('run', { ...program, id });
    exited.catch(() => {}); // Who waits for the end hears of it.
    return { name: program.name, exited, ...ending(id) };
  };
  return {
    name: 'sandbox',
    fidelity: started.fidelity,
    capabilities: new Set([
      ...sandboxCapabilities.always,
      ...started.capabilities,
      ...(hasKubectl(environment) ? ['kubectl' as const] : []),
    ]),
    kernel: kernelRelease(),
    patienceMs: 20_000,
    watchMs: 1500,
    kubeConfig,
    store: started.store,
    putObject: (key, body) => remote.call('putObject', { key, base64: Buffer.from(body).toString('base64') }),
    async askStore(path, headers) {
      const response = await fetch(`${started.store.endpoint}${path}`, { headers });
      await response.body?.cancel();
      return response.status;
    },
    exec: (target, command, { timeoutMs = 30_000 } = {}) => remote.call('exec', { target, command, timeoutMs }),
    run: async (target, command, name) => run({ target, command, name }),
    runProgram: async ({ program, args, name, target }) =>
      run({ command: [process.execPath, harness[program], ...args], name, ...(target && { target }) }),
    kill: (target, signal) => remote.call('kill', { target, signal }),
    abortConnection: (daemon) => remote.call('abortConnection', { daemon }),
    killWhenReady: (daemon, delayMs) => remote.call('killWhenReady', { daemon, delayMs }),
    outOfMemory: (target) => remote.call('outOfMemory', { target }),
    async holdRestarts(target) {
      const id = ++lastId;
      await remote.call('holdRestarts', { target, id });
      return ending(id);
    },
    async probe(options) {
      const id = ++lastId;
      await remote.call('probe', { options, id });
      return ending(id);
    },
    mountTable: (target) => remote.call('mountTable', target ? { target } : {}),
    stepInside: async (target) => stepInside(child, await remote.call('pid', { target })),
    async restartAgent(agent) {
      await restart(agent);
      await daemonSet.follow(agent.fuseRecovery);
    },
    commandLine: (line) => runCommandLine({ line, kubeConfig: kubeConfigText(started), environment, runId }),
    openTerminal: async (namespace) =>
      openTerminal({ kubeConfig: withNamespace(kubeConfig, namespace), environment, runId, onEvent: options.onEvent }),
    killAgent: () => remote.call('killAgent', {}),
    async stopAgent() {
      const id = ++lastId;
      await remote.call('stopAgent', { id });
      return ending(id);
    },
    rebootNode: () => remote.call('rebootNode', {}),
    restartKubelet: () => Promise.reject(new Error('the fake kubelet is not restarted')),
    async openFaultyStore() {
      const store = ++lastId;
      const endpoint = await remote.call('openFaultyStore', { id: store });
      const trouble = async (trouble: StoreTrouble) => {
        const id = ++lastId;
        await remote.call('storeTrouble', { store, trouble, id });
        return ending(id);
      };
      return { endpoint, trouble, ...ending(store) };
    },
    agentMetrics: () => remote.call('agentMetrics', {}),
    agentUsage: () => remote.call('agentUsage', {}),
    release: (namespace) => release(kubeConfig, remote, namespace),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** Rootless where the caller is not root: one user namespace for all of the sandbox. */
function spawnSupervisor({ environment, runId, resultsDir }: StartOptions): ChildProcess {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return spawn(
    'unshare',
    [
      ...user,
      '--mount',
      '--propagation=slave',
      '--pid',
      '--fork',
      '--kill-child',
      process.execPath,
      // Collected seldom: its collections take the processors from what is measured.
      '--min-semi-space-size=16',
      programs.supervisor,
    ],
    {
      env: { ...environment, REKINDLE_RUN_ID: runId },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      cwd: resultsDir,
    },
  );
}

/** `unshare --kill-child` takes process 1 of the namespace, and with it all that is in the sandbox, along. */
async function endSupervisor(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = once(child, 'exit');
  child.kill('SIGKILL');
  await closed;
}

/** @throws CannotRun */
function checkDaemon({ daemon, environment: { PATH = '/usr/bin:/bin' } }: StartOptions): void {
  if (daemon === undefined || versionOf(daemon, PATH) !== undefined) return;
  const remedy = `install it (Debian and Ubuntu: apt-get install ${daemon}), or leave --daemon away`;
  throw new CannotRun([{ what: `${daemon} is not on the PATH`, remedy }]);
}

function supervisorOptions(options: StartOptions, scratch: string, probeProgram: string): SupervisorOptions {
  const { runId, resultsDir, agent, daemon, clockScale, environment } = options;
  const { PATH = '/usr/bin:/bin', HOME = '/', LANG, NODE_COMPILE_CACHE } = environment;
  const kept = { PATH, HOME, LANG, NODE_COMPILE_CACHE, REKINDLE_RUN_ID: runId };
  return {
    runId,
    resultsDir,
    scratch,
    agent,
    ...(daemon && { daemon }),
    probeProgram,
    clockScale,
    environment: Object.fromEntries(
      Object.entries(kept).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    workingDirectory: options.workingDirectory,
  };
}

function receive(message: News, options: StartOptions, rests: Map<number, string>): void {
  if ('event' in message) options.onEvent(message.event);
  else if ('progress' in message) options.onProgress(message.progress);
  else splitProbeOutput(message, rests, options.onEvent);
}

/** A probe's lines are events already; they come in chunks that end anywhere. */
function splitProbeOutput(
  { probe, chunk }: { readonly probe: number; readonly chunk: string },
  rests: Map<number, string>,
  onEvent: (event: HistoryEvent) => void,
): void {
  const lines = ((rests.get(probe) ?? '') + chunk).split('\n');
  rests.set(probe, lines.pop() ?? '');
  for (const line of lines) {
    const event = JSON.parse(line);
    if (event.kind) onEvent(event);
  }
}

/** Enters the sandbox by its process 1, then the container by its number there. */
function stepInside({ pid }: ChildProcess, inner: number): string {
  const supervisor = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
  const user = process.getuid?.() === 0 ? '' : ' --user --preserve-credentials';
  return `nsenter --target ${supervisor}${user} --mount --pid nsenter --target ${inner} --mount --pid -- /bin/bash`;
}

const releaseTimeoutMs = 20_000;

/** Deletes the namespace and waits until nothing of it is left on the node, for as long as it becomes less; what stays is the result. */
async function release(kubeConfig: KubeConfig, remote: RemoteNode, namespace: string): Promise<readonly string[]> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  await api.deleteNamespace({ name: namespace });
  let deadline = performance.now() + releaseTimeoutMs;
  let fewest = Number.POSITIVE_INFINITY;
  for (;;) {
    const left = await remote.call('leftovers', { namespace });
    if (left.length === 0 || performance.now() > deadline) return left;
    if (left.length < fewest) {
      fewest = left.length;
      deadline = performance.now() + releaseTimeoutMs;
    }
    await delay(20);
  }
}
