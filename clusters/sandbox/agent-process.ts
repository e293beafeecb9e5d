import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { type AgentOptions, ForeignAgentFailed } from '../cluster.ts';
import type { CpuCgroups } from '../node/cgroups.ts';
import { toEvent } from '../node/log-events.ts';
import { type Child, startChild } from './child.ts';
import { programs } from './paths.ts';

export interface AgentProcessOptions {
  readonly command: readonly string[];
  readonly kubeconfig: string;
  readonly nodeName: string;
  readonly socket: string;
  readonly kubeletRoot: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly onEvent: (event: HistoryEvent) => void;
  /** Undefined where none can be made: a limit is asked for in vain then. */
  readonly cpu: CpuCgroups | undefined;
}

/** How long another program may take until it serves. */
const socketMs = 30_000;
/** How long its own word is waited for once its socket takes connections. */
const wordMs = 2_000;

/** A shorter period than the default 5 s: what must not be recovered is watched for longer than it. */
export const resyncPeriod = '1s';

const agentEnvironment = (kubeletRoot: string) => ({
  KUBELET_ROOTDIR: kubeletRoot,
  MOUNT_ROOT: '/runtime-mnt',
  RECOVER_FUSE_PERIOD: resyncPeriod,
});

/** The agent as its DaemonSet would run it: started again when it ends by itself, with the flags that are in force. */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  #child: Child | undefined;
  #agent: AgentOptions | undefined;
  #tier: string | undefined;
  #metrics: string | undefined;
  #limit: AsyncDisposable | undefined;
  #wanted = false;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.process.pid;
  }

  /** What the running agent is able to do with the kernel, as it says itself. */
  get tier(): string | undefined {
    return this.#tier;
  }

  /** `HOST:PORT` of its metrics. */
  get metrics(): string | undefined {
    return this.#metrics;
  }

  /** Resolves when the agent serves. */
  async start(agent: AgentOptions): Promise<void> {
    this.#wanted = true;
    this.#agent = agent;
    const { environment, logFile, onEvent } = this.#options;
    const name = 'csi-nodeplugin-fluid';
    const child = startChild({
      name: 'agent',
      argv: [...this.#command(agent), ...this.#flags(agent)],
      environment: { ...environment, ...agentEnvironment(this.#options.kubeletRoot) },
      logFile,
      onLine: (line) => {
        const event = toEvent(line);
        if (event) onEvent(event);
      },
    });
    this.#child = child;
    const { pid = 0 } = child.process;
    onEvent({ kind: 'process', at: now(), role: 'agent', name, change: 'started', pid });
    void child.exited.then(({ exitCode, signal }) => {
      const how = { ...(exitCode !== null && { exitCode }), ...(signal && { signal }) };
      onEvent({ kind: 'process', at: now(), role: 'agent', name, change: 'exited', pid, ...how });
      const { diesBefore: _, ...next } = agent;
      if (this.#wanted && this.#child === child)
        void this.#unlimit()
          .then(() => this.start(next))
          .catch(() => {});
    });
    const { tier, metrics } = await (agent.command ? this.#serves(child) : child.ready);
    if (agent.cpuMillis !== undefined) this.#limit = this.#options.cpu?.limit(pid, agent.cpuMillis);
    if (typeof metrics === 'string') this.#metrics = metrics;
    if (typeof tier === 'string') this.#tier = tier;
    onEvent({ kind: 'process', at: now(), role: 'agent', name, change: 'ready', pid });
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#child?.process.kill('SIGTERM');
    await this.#child?.exited;
    await this.#unlimit();
  }

  /** Starts it again as it was before it was stopped. */
  async startAgain(): Promise<void> {
    if (this.#agent && !this.#wanted) await this.start(this.#agent);
  }

  /** SIGKILL, and nobody starts it again. */
  async powerOff(): Promise<void> {
    this.#wanted = false;
    await this.kill();
  }

  /** SIGKILL; it is started again. Returns when. */
  async kill(): Promise<number> {
    const at = now();
    this.#child?.process.kill('SIGKILL');
    await this.#child?.exited;
    return at;
  }

  async #unlimit(): Promise<void> {
    const limit = this.#limit;
    this.#limit = undefined;
    await limit?.[Symbol.asyncDispose]();
  }

  /**
   * Another program need not say that it is ready as ours does: then its CSI socket does, once it takes a connection.
   * @throws ForeignAgentFailed
   */
  async #serves(child: Child): Child['ready'] {
    const stop = new AbortController();
    const late = delay(socketMs, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`it has not served ${this.#options.socket} after ${socketMs / 1000} s`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([child.ready, this.#accepts(stop.signal), late]);
    } catch (error) {
      throw new ForeignAgentFailed({ cause: error, logFile: this.#options.logFile });
    } finally {
      stop.abort();
    }
  }

  async #accepts(signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    await accepts(this.#options.socket, signal);
    await delay(wordMs, undefined, { signal }).catch(() => {});
    return {};
  }

  #command({ command, diesBefore }: AgentOptions): readonly string[] {
    if (command) return command;
    if (!diesBefore) return this.#options.command;
    return [process.execPath, programs.dyingAgent, `--dies-before=${diesBefore.call}:${diesBefore.count}`];
  }

  #flags(agent: AgentOptions): readonly string[] {
    const { kubeconfig, nodeName, socket } = this.#options;
    return [
      `--nodeid=${nodeName}`,
      `--endpoint=unix://${socket}`,
      `--feature-gates=FuseRecovery=${agent.fuseRecovery}`,
      `--kubeconfig=${kubeconfig}`,
      '--metrics-addr=127.0.0.1:0',
      ...(agent.kernelTier ? [`--kernel-tier=${agent.kernelTier}`] : []),
      ...(agent.abortHungAfter ? [`--abort-hung-after=${agent.abortHungAfter}`] : []),
      ...(agent.readWriteScope ? [`--read-write-scope=${agent.readWriteScope}`] : []),
    ];
  }
}

/** Until somebody listens on a socket, or the signal. */
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

function now(): number {
  return Number(process.hrtime.bigint());
}
