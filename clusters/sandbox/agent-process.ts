import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type RuntimeOptions, startContainer } from '../../fakes/kubelet/container.ts';
import { kubeletPaths } from '../../fakes/kubelet/volumes.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { serveRegistration } from '../../recovery/csi/registration.ts';
import type { FurtherGate } from '../../recovery/deploy/options.ts';
import { driverName } from '../../recovery/engine/model.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { type AgentSettings, ForeignAgentFailed } from '../cluster.ts';
import type { CpuCgroups } from '../node/cgroups.ts';
import { toEvent } from '../node/log-events.ts';
import { deployedAgent } from './deployed-agent.ts';
import { type AddedFiles, addFiles, flagsPlaceholder, foreignContainer } from './foreign-agent.ts';
import { node as places, programs } from './paths.ts';
import { followServing, type ServingProcess, startServing } from './serving-process.ts';

export interface AgentProcessOptions {
  readonly command: readonly string[];
  /** Of our agent, in a directory of the node. */
  readonly account: { readonly directory: string; readonly environment: Readonly<Record<string, string>> };
  /** Path of the kubeconfig of another program: the administrator's, because its roles are unknown. */
  readonly adminKubeconfig: string;
  readonly nodeName: string;
  /** Parent of the directories of CSI sockets, each of which is named after its driver. */
  readonly sockets: string;
  readonly kubeletRoot: string;
  readonly mountRoot: string;
  readonly runtime: RuntimeOptions;
  /** Resolves once the kubelet knows the driver, or on abort. */
  readonly registered: (driver: string, signal: AbortSignal) => Promise<void>;
  readonly environment: Readonly<Record<string, string>>;
  /** The user's. */
  readonly workingDirectory: string;
  /** A directory of the node for the files of another program. */
  readonly scratch: string;
  readonly logFile: string;
  readonly onEvent: (event: HistoryEvent) => void;
  /** Undefined if no cgroup can be created here; then requested limits have no effect. */
  readonly cpu: CpuCgroups | undefined;
}

/** Timeout for another program to serve its socket, and for our agent to be registered. */
const serviceMs = 30_000;
/** A third of the kubelet's default grace period. */
const terminationGraceMs = 10_000;
/** How long to wait for another program's ready line once its socket accepts connections. */
const readyLineMs = 2_000;

/**
 * Runs the agent as its DaemonSet would, in a container with the privileges of the manifest, and restarts it with its current flags
 * when it ends by itself. Another program runs in a privileged container, and a registrar beside it as in most node plugins.
 */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  #child: ServingProcess | undefined;
  #registrar: AsyncDisposable | undefined;
  #agent: AgentSettings | undefined;
  #tier: string | undefined;
  #metrics: string | undefined;
  #status: string | undefined;
  #limit: AsyncDisposable | undefined;
  #shouldRun = false;
  #added: AddedFiles | undefined;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  get #driver(): string {
    return this.#agent?.driver ?? driverName;
  }

  get #socket(): string {
    return join(this.#options.sockets, this.#driver, 'csi.sock');
  }

  /** The kernel tier that the running agent reports. */
  get tier(): string | undefined {
    return this.#tier;
  }

  /** `HOST:PORT` of its status. */
  get status(): string | undefined {
    return this.#status;
  }

  /** `HOST:PORT` of its metrics. */
  get metrics(): string | undefined {
    return this.#metrics;
  }

  /** Resolves when the agent serves. */
  async start(agent: AgentSettings): Promise<void> {
    this.#shouldRun = true;
    this.#agent = agent;
    const { logFile, onEvent } = this.#options;
    const name = agent.driver ?? 'csi-nodeplugin-fluid';
    const child = this.#spawn(agent, {
      name: 'agent',
      logFile,
      onLine: (line) => {
        const event = toEvent(line);
        if (event) onEvent(event);
      },
    });
    this.#child = child;
    const { pid = 0 } = child.process;
    onEvent({ kind: 'process', at: monotonicNow(), role: 'agent', name, change: 'started', pid });
    void child.exited.then(({ exitCode, signal }) => {
      const exit = { ...(exitCode !== null && { exitCode }), ...(signal && { signal }) };
      onEvent({ kind: 'process', at: monotonicNow(), role: 'agent', name, change: 'exited', pid, ...exit });
      const { diesBefore: _, ...next } = agent;
      if (this.#shouldRun && this.#child === child)
        void this.#removeLimit()
          .then(() => this.start(next))
          .catch(() => {});
    });
    const { tier, metrics, status } = await (agent.command ? this.#awaitForeign(child) : child.ready);
    if (agent.command && !this.#registrar) this.#registrar = await this.#startRegistrar();
    await this.#options.registered(this.#driver, AbortSignal.any([AbortSignal.timeout(serviceMs), child.ended]));
    if (agent.cpuMillis !== undefined) this.#limit = this.#options.cpu?.limit(pid, agent.cpuMillis);
    if (typeof metrics === 'string') this.#metrics = metrics;
    if (typeof status === 'string') this.#status = status;
    if (typeof tier === 'string') this.#tier = tier;
    onEvent({ kind: 'process', at: monotonicNow(), role: 'agent', name, change: 'ready', pid });
  }

  async stop(): Promise<void> {
    this.#shouldRun = false;
    const child = this.#child;
    child?.process.kill('SIGTERM');
    const grace = setTimeout(() => child?.process.kill('SIGKILL'), terminationGraceMs);
    await child?.exited;
    clearTimeout(grace);
    await this.#removeLimit();
    await this.#registrar?.[Symbol.asyncDispose]();
    this.#registrar = undefined;
  }

  /** Starts it with the flags that it had before it was stopped. */
  async startAgain(): Promise<void> {
    if (this.#agent && !this.#shouldRun) await this.start(this.#agent);
  }

  /** Sends SIGKILL, without a restart. */
  async powerOff(): Promise<void> {
    this.#shouldRun = false;
    await this.kill();
  }

  /** Sends SIGKILL, followed by a restart. Resolves with the time of the signal. */
  async kill(): Promise<number> {
    const at = monotonicNow();
    this.#child?.process.kill('SIGKILL');
    await this.#child?.exited;
    return at;
  }

  async #removeLimit(): Promise<void> {
    const limit = this.#limit;
    this.#limit = undefined;
    await limit?.[Symbol.asyncDispose]();
  }

  /**
   * Another program may not print our ready line. Then it is ready once its CSI socket accepts connections.
   * @throws ForeignAgentFailed
   */
  async #awaitForeign(child: ServingProcess): ServingProcess['ready'] {
    const stop = new AbortController();
    const timeout = delay(serviceMs, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`it does not serve ${this.#socket} after ${serviceMs / 1000} s`);
    });
    timeout.catch(() => {});
    try {
      return await Promise.race([child.ready, this.#accepts(stop.signal), timeout]);
    } catch (error) {
      throw new ForeignAgentFailed({ cause: error, logFile: this.#options.logFile });
    } finally {
      stop.abort();
    }
  }

  async #accepts(signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    await accepts(this.#socket, signal);
    await delay(readyLineMs, undefined, { signal }).catch(() => {});
    return {};
  }

  #spawn(agent: AgentSettings, follow: Parameters<typeof followServing>[1]): ServingProcess {
    const { account, adminKubeconfig, command, environment, kubeletRoot, mountRoot, nodeName, runtime } = this.#options;
    if (!agent.command) {
      const { diesBefore } = agent;
      const program = diesBefore
        ? [process.execPath, programs.dyingAgent, `--dies-before=${diesBefore.call}:${diesBefore.count}`]
        : command;
      const furtherGates = gatesBeside(agent);
      const agentArgs = [...ownFlags(agent), '--status-addr=127.0.0.1:0'];
      const manifest = { kubeletRoot, mountRoot, agentArgs, furtherGates };
      const gate = agent.fuseRecovery;
      const spec = deployedAgent({
        manifest,
        gate,
        nodeName,
        program,
        account: account.directory,
        environment: { ...environment, ...account.environment },
      });
      return followServing(startContainer(runtime, spec).program, follow);
    }
    // `DirectoryOrCreate` of the host directory that node plugins have for their sockets.
    mkdirSync(dirname(this.#socket), { recursive: true });
    if (!agent.command.includes(flagsPlaceholder)) {
      const { spec, keep } = this.#foreignContainer(agent);
      return followServing(startContainer({ ...runtime, keep: [...runtime.keep, keep] }, spec).program, follow);
    }
    const flags = [
      `--nodeid=${nodeName}`,
      `--endpoint=unix://${this.#socket}`,
      ...(agent.fuseRecovery === 'default'
        ? []
        : [
            `--feature-gates=${[`FuseRecovery=${agent.fuseRecovery}`, ...gatesBeside(agent).map((name) => `${name}=true`)]}`,
          ]),
      `--kubeconfig=${adminKubeconfig}`,
      ...ownFlags(agent),
    ];
    return startServing({
      ...follow,
      argv: agent.command.flatMap((word) => (word === flagsPlaceholder ? flags : [word])),
      environment: { ...environment, KUBELET_ROOTDIR: kubeletRoot, MOUNT_ROOT: mountRoot },
    });
  }

  #foreignContainer(agent: AgentSettings): ReturnType<typeof foreignContainer> {
    const { adminKubeconfig, environment, kubeletRoot, mountRoot, nodeName, runtime, scratch, workingDirectory } =
      this.#options;
    const search = { cwd: workingDirectory, PATH: environment.PATH };
    this.#added ??= addFiles(runtime.linux, agent.files ?? {}, { scratch, search });
    const values = {
      nodeName,
      socket: this.#socket,
      kubeconfig: adminKubeconfig,
      kubeletRoot,
      mountRoot,
      ...(agent.fuseRecovery !== 'default' && { gate: `${agent.fuseRecovery}` }),
    };
    return foreignContainer({ agent, added: this.#added, values, base: environment, search });
  }

  /** Registers the driver of another program, as the sidecar node-driver-registrar does. */
  #startRegistrar(): Promise<AsyncDisposable> {
    const directory = kubeletPaths(this.#options.kubeletRoot).plugins;
    return serveRegistration({ driver: this.#driver, directory, endpoint: this.#socket, onStatus: () => {} });
  }
}

/** The gates that are on besides FuseRecovery. */
const gatesBeside = ({ keeper, standby }: AgentSettings): readonly FurtherGate[] => [
  ...(standby ? (['FuseStandby'] as const) : []),
  ...(keeper ? (['FuseTakeover'] as const) : []),
];

/** In the sandbox all agents share the network of the machine. */
function ownFlags({ abortHungAfter, fallback, kernelTier, readWriteScope, subPath }: AgentSettings): readonly string[] {
  return [
    '--metrics-addr=127.0.0.1:0',
    `--kubelet-kube-config=${places.kubeconfigs.kubelet}`,
    ...(kernelTier ? [`--kernel-tier=${kernelTier}`] : []),
    ...(abortHungAfter ? [`--abort-hung-after=${abortHungAfter}`] : []),
    ...(fallback ? ['--fallback=annotated'] : []),
    ...(readWriteScope ? [`--read-write-scope=${readWriteScope}`] : []),
    ...(subPath ? [`--sub-path=${subPath}`] : []),
  ];
}

/** Resolves once a socket accepts connections, or on abort. */
async function accepts(path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(path);
    const open = await once(socket, 'connect', { signal }).then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await delay(20);
  }
}
