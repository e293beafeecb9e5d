import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { release as kernelRelease, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { execa } from 'execa';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { versionOf } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import { onLines, parseLine } from '../../fakes/lines.ts';
import { bundlePackages, packageFlags } from '../bundled-packages.ts';
import {
  type AgentSettings,
  CannotRun,
  type Cluster,
  deriveVerbs,
  type RunningCluster,
  type StartOptions,
} from '../cluster.ts';
import { watchKubernetesEvents } from '../kubernetes-events.ts';
import { pollOrLast, timeoutMultiplier } from '../poll.ts';
import { connect } from '../rpc.ts';
import { findKubectl } from '../terminal.ts';
import { keepAgentDaemonSet } from './agent-daemonset.ts';
import { probeProgram } from './bundles.ts';
import { combineDifferences, conditionsNamed } from './conditions/catalogue.ts';
import { missingFiles } from './foreign-agent.ts';
import { programs } from './paths.ts';
import {
  type Message,
  type News,
  reportsDescriptor,
  type SandboxProcedures,
  type SupervisorOptions,
} from './protocol.ts';

/** The default cluster: real kernel FUSE and the real agent, in private namespaces of this machine. */
export const sandbox: Cluster = {
  name: 'sandbox',
  async start(options) {
    const { signal, environment, runId, onEvent } = options;
    signal.throwIfAborted();
    requireDaemon(options);
    requireAgent(options);
    await bundlePackages();
    await using stack = new AsyncDisposableStack();
    const scratch = mkdtempSync(join(tmpdir(), `rekindle-${runId}-`));
    // The directory is empty: what was mounted on it was mounted in the sandbox's own namespace only.
    stack.defer(() => rmdirSync(scratch));
    const child = stack.adopt(spawnSupervisor(options), endSupervisor);
    const node = connectSupervisor(child, options);
    const abort = () => child.kill('SIGKILL');
    signal.addEventListener('abort', abort);
    stack.defer(() => signal.removeEventListener('abort', abort));

    const started = await node.start(await supervisorOptions(options, scratch));
    stack.defer(() => node.stop().catch(() => {}));
    const kubeConfig = clientConfig(started.kubeConfig);
    stack.use(await watchKubernetesEvents(kubeConfig, onEvent));
    let flags = options.agent;
    const restart = (agent: AgentSettings): Promise<void> => {
      flags = agent;
      return node.restartAgent(agent);
    };
    const daemonSet = stack.use(
      await keepAgentDaemonSet({
        kubeConfig,
        gate: flags.fuseRecovery === true,
        rollOut: (fuseRecovery) => restart({ ...flags, fuseRecovery }),
      }),
    );
    const kubectl = findKubectl({ kubeConfig: started.kubeConfig, environment, runId, onEvent });
    const life = stack.move();
    return {
      name: 'sandbox',
      fidelity: started.fidelity,
      capabilities: new Set([
        'agent-flags',
        'signal-daemon',
        'mount-tables',
        'scaled-clock',
        'abort-connection',
        'agent-death',
        'node-reboot',
        'kubelet-restart',
        'node-conditions',
        'store-faults',
        ...started.capabilities,
        ...(kubectl ? ['kubectl' as const] : []),
      ]),
      kernel: kernelRelease(),
      patienceMs: 20_000 * timeoutMultiplier(options.environment),
      probeReadsOnly: combineDifferences(conditionsNamed(options.conditions ?? [])).probeReadsOnly === true,
      kubeConfig,
      store: started.store,
      ...(kubectl && { kubectl }),
      ...deriveVerbs((verb, args) => (node[verb] as (...args: readonly unknown[]) => Promise<unknown>)(...args)),
      exec: node.exec,
      run: node.run,
      killAgent: node.killAgent,
      stopAgent: node.stopAgent,
      agentMetrics: node.agentMetrics,
      agentUsage: node.agentUsage,
      agentStatusAddress: node.agentStatusAddress,
      rebootNode: node.rebootNode,
      restartKubelet: node.restartKubelet,
      killKeeper: node.killKeeper,
      harmedNeighbours: node.harmedNeighbours,
      async restartAgent(agent) {
        await restart(agent);
        await daemonSet.follow(agent.fuseRecovery === true);
      },
      stepInside: async (target) => enterCommand(child, await node.pid(target)),
      release: (namespace) => release(kubeConfig, node, namespace),
      [Symbol.asyncDispose]: () => life.disposeAsync(),
    } satisfies RunningCluster;
  },
};

/** Runs without root in one user namespace for the whole sandbox. */
function spawnSupervisor({ environment, runId, resultsDir }: StartOptions) {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const child = execa(
    'unshare',
    [
      ...user,
      '--mount',
      '--propagation=slave',
      '--pid',
      '--fork',
      '--kill-child',
      // Process 1 never leaves the node's mount namespace, as on a real node; the supervisor visits those of containers.
      ...['/bin/sh', '-c', '"$@"; exit "$?"', 'init'],
      process.execPath,
      ...packageFlags(),
      programs.supervisor,
    ],
    {
      env: { ...environment, REKINDLE_RUN_ID: runId },
      extendEnv: false,
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
      cwd: resultsDir,
      buffer: false,
      reject: false,
      cleanup: false,
    },
  );
  child.stdin.on('error', () => {}); // It has ended.
  return child;
}

type Supervisor = ReturnType<typeof spawnSupervisor>;

/** With `unshare --kill-child`, process 1 of the namespace ends too, and with it everything in the sandbox. */
async function endSupervisor(child: Supervisor): Promise<void> {
  child.kill('SIGKILL');
  await child;
}

function connectSupervisor(child: Supervisor, { onEvent, onProgress }: StartOptions): SandboxProcedures {
  return connect<SandboxProcedures, News>(
    {
      send: (request) => void child.stdin.write(`${JSON.stringify(request)}\n`),
      onMessage: (listener) =>
        onLines(child.stdio[reportsDescriptor], (line) => {
          // A sandbox that is killed may leave half a line.
          const message = parseLine(line);
          if (message) listener(message as unknown as Message);
        }),
      onEnd: (listener) =>
        void child.then(({ exitCode, signal, originalMessage }) =>
          listener(signal ?? (exitCode === undefined ? (originalMessage ?? '') : `exit status ${exitCode}`)),
        ),
    },
    {
      name: 'the sandbox',
      onNews: (news) => ('progress' in news ? onProgress(news.progress) : onEvent(news)),
    },
  );
}

/** @throws CannotRun */
function requireDaemon({ daemon, environment: { PATH = '/usr/bin:/bin' } }: StartOptions): void {
  if (daemon === undefined || versionOf(daemon, PATH) !== undefined) return;
  const remedy = `install it (Debian and Ubuntu: apt-get install ${daemon}), or omit --daemon`;
  throw new CannotRun([{ what: `${daemon} is not on the PATH`, remedy }]);
}

/** @throws CannotRun */
function requireAgent({ agent, environment: { PATH = '/usr/bin:/bin' }, workingDirectory }: StartOptions): void {
  const missing = missingFiles(agent, { cwd: workingDirectory, PATH });
  if (missing.length === 0) return;
  const remedy = "put the agent's program and files there, or use a copy of the profile with their paths";
  throw new CannotRun(
    missing.map((name) => ({ what: `${name}, which the profile names, is not on the PATH`, remedy })),
  );
}

async function supervisorOptions(options: StartOptions, scratch: string): Promise<SupervisorOptions> {
  const { runId, resultsDir, agent, daemon, clockScale, conditions = [], environment, workingDirectory } = options;
  const { PATH = '/usr/bin:/bin', HOME = '/', LANG, NODE_COMPILE_CACHE, REKINDLE_TURNS } = environment;
  const variables = { PATH, HOME, LANG, NODE_COMPILE_CACHE, REKINDLE_TURNS, REKINDLE_RUN_ID: runId };
  return {
    runId,
    resultsDir,
    scratch,
    agent,
    ...(daemon && { daemon }),
    programs: { ...options.programs, probe: await probeProgram(options.programs.probe) },
    clockScale,
    conditions,
    confirmsMounts: environment.CI === 'true',
    environment: Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    workingDirectory,
  };
}

/** Enters the sandbox through its process 1, then the container by its PID there. */
function enterCommand({ pid }: Supervisor, inner: number): string {
  const supervisor = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
  const user = process.getuid?.() === 0 ? '' : ' --user --preserve-credentials';
  return `nsenter --target ${supervisor}${user} --mount --pid nsenter --target ${inner} --mount --pid -- /bin/bash`;
}

const releaseTimeoutMs = 20_000;

/** Deletes the namespace and waits until the node has nothing of it, as long as there is progress. Returns what is left. */
async function release(kubeConfig: KubeConfig, node: SandboxProcedures, namespace: string): Promise<readonly string[]> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  await api.deleteNamespace({ name: namespace });
  for (let fewest = Number.POSITIVE_INFINITY; ; ) {
    const leftovers = await pollOrLast({
      read: () => node.leftovers(namespace),
      until: ({ length }) => length === 0 || length < fewest,
      timeoutMs: releaseTimeoutMs,
    });
    if (leftovers.length === 0 || leftovers.length >= fewest) return leftovers;
    fewest = leftovers.length;
  }
}
