import { type AgentWorld, type WiredAgent, wireAgent } from '../../../recovery/agent/wiring.ts';
import type { NodeService } from '../../../recovery/csi/node.ts';
import type { Decision, DeviceId, KernelTier, Nanoseconds, Policy } from '../../../recovery/engine/model.ts';
import type { ClockPort, ReadRequest } from '../../../recovery/engine/ports.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import type { Transport } from '../../../recovery/kubernetes/transport.ts';
import { createModelledPort, type ModelledPort } from '../../../recovery/linux/model/modelled-port.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import { createPublisher } from '../../../recovery/linux/publish.ts';
import { failed } from '../../../recovery/linux/result.ts';
import type { Log } from '../../../recovery/log.ts';
import { kubeletRoot, type ModelledNode, mountRoot } from './modelled-node.ts';

const changing: ReadonlySet<string> = new Set(['mount', 'umount2', 'move_mount', 'mount_setattr']);

/** Thrown out of the system call before which the agent dies. */
class AgentDied extends Error {}

/** Whether an error is the agent's death, or followed from it. */
export function isDeath(error: unknown): boolean {
  if (error instanceof SuppressedError) return isDeath(error.error) || isDeath(error.suppressed);
  return error instanceof AgentDied;
}

const documented: Policy = {
  enabled: true,
  readWriteScope: 'volume',
  subPath: 'refuse',
  pods: 'label',
  unsupportedRuntimes: [],
};

/** `off`: the gate is off. The others lift or tighten one of the documented limits. */
const policies = {
  documented,
  off: { ...documented, enabled: false },
  'all-pods': { ...documented, pods: 'all' },
  'cluster-scope': { ...documented, readWriteScope: 'cluster' },
  'read-write': { ...documented, readWriteScope: 'recover' },
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof policies;

const resyncPeriod = 5_000_000_000n as Nanoseconds;

/** How long a connection must have hung before the agent may abort it, if it may. */
export const abortHungAfter = 20_000_000_000n as Nanoseconds;

export interface AgentFlags {
  readonly standby: boolean;
  readonly abortsHung: boolean;
  readonly policy: PolicyName;
}

export interface ModelledAgentOptions {
  readonly node: ModelledNode;
  readonly clock: ModelledClock;
  readonly tier: KernelTier;
  readonly flags: AgentFlags;
  readonly transport: Transport;
  readonly record: (decision: Decision) => void;
  /** A read of a consumer has succeeded. */
  readonly onRead: (request: ReadRequest, device: DeviceId) => void;
  /** A call that changes mount tables has been made. */
  readonly onChange: () => void;
  readonly onAbort: (device: DeviceId) => void;
  readonly onDeath: () => void;
}

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The agent as a process: what it wires in production, on the modelled kernel and API server. */
export class ModelledAgent {
  readonly #wired: WiredAgent;
  readonly #sys: ModelledSyscalls;
  readonly #options: ModelledAgentOptions;
  readonly #died = Promise.withResolvers<never>();
  readonly #port: ModelledPort;
  #isDead = false;
  #hasChanged = false;
  #callsLeft: number | undefined;
  readonly #interruptions = new Set<{ calls: number; readonly run: () => void }>();

  constructor(options: ModelledAgentOptions) {
    this.#options = options;
    this.#died.promise.catch(() => undefined);
    const { node, transport, tier, flags, record } = options;
    const clock = this.#clock();
    this.#sys = new ModelledSyscalls({
      kernel: node.kernel,
      namespaceOf: (pid) => node.processes.find((each) => each.pid === pid)?.sys.namespace,
      before: (call) => this.#beforeCall(call),
    });
    this.#port = createModelledPort({
      ...{ kernel: node.kernel, sys: this.#sys, clock, tier, kubeletRoot, records: node.records },
      processes: () => node.processes,
    });
    let names = 0;
    this.#wired = wireAgent(
      {
        ...{ nodeId: 'node', mountRoot, kubeletRoot, policy: policies[flags.policy], resyncPeriod, beside: undefined },
        ...{ standby: flags.standby, takeover: false, fallback: false },
        abortHungAfter: flags.abortsHung ? abortHungAfter : undefined,
      },
      {
        ...{ kernel: this.#kernel(), transport, clock, log: silent, random: () => 0.5, onDecision: record },
        nodeTransport: () => transport,
        now: () => new Date(Number(clock.now() / 1_000_000n)),
        randomHex: (digits) => String(names++).padStart(digits, '0'),
      },
    );
  }

  /** A clock whose timers end with the agent, and in which it may die. */
  #clock(): ClockPort {
    const { clock } = this.#options;
    return {
      now: () => clock.now(),
      after: (delay, callback) =>
        clock.after(delay, () => {
          try {
            if (!this.#isDead) callback();
          } catch (error) {
            if (!isDeath(error)) throw error;
          }
        }),
    };
  }

  /** Starts the engine once the API server has answered. */
  start(): void {
    void this.#wired.synced.then(() => {
      if (!this.#isDead) this.#wired.start();
    });
  }

  /** Ends the process before one of its next system calls. */
  dieBefore(call: number): void {
    this.#callsLeft = call;
  }

  /** Lets something else happen on the node before one of the next system calls. */
  before(calls: number, run: () => void): void {
    this.#interruptions.add({ calls, run });
  }

  /** Runs a CSI call; rejects with `AgentDied` if the agent dies meanwhile. */
  call<T>(run: (csi: NodeService) => Promise<T>): Promise<T> {
    if (this.#isDead) return Promise.reject(new AgentDied());
    return Promise.race([run(this.#wired.node), this.#died.promise]);
  }

  end(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#sys.exit();
    this.#port[Symbol.dispose]();
    for (const part of this.#wired.parts) void part[Symbol.asyncDispose]();
    this.#died.reject(new AgentDied());
    this.#options.onDeath();
  }

  #beforeCall(call: string): undefined {
    if (this.#hasChanged && !this.#isDead) this.#options.onChange();
    this.#hasChanged = changing.has(call);
    for (const interruption of [...this.#interruptions]) {
      if (interruption.calls-- > 0) continue;
      this.#interruptions.delete(interruption);
      interruption.run();
    }
    if (this.#callsLeft === 0) this.end();
    if (this.#isDead) throw new AgentDied();
    if (this.#callsLeft !== undefined) this.#callsLeft -= 1;
    return undefined;
  }

  /** The port, which reports what the invariants are about. After the agent's death it calls nothing back. */
  #kernel(): AgentWorld['kernel'] {
    const { onRead, onAbort } = this.#options;
    const port = this.#port;
    const whileAlive =
      <A extends readonly unknown[]>(run: (...given: A) => void) =>
      (...given: A) => {
        if (!this.#isDead) run(...given);
      };
    return {
      ...port,
      ...createPublisher(port.context),
      kubeletDirectory: () => kubeletRoot,
      endContainer: () => failed({ errno: 'ENOSYS', call: 'kill', path: '', step: '' }),
      async read(request) {
        const result = await port.read(request);
        if (result.ok) onRead(request, result.value.device);
        return result;
      },
      abort(device) {
        onAbort(device);
        return port.abort(device);
      },
      watchMounts: (changed) => port.watchMounts(whileAlive(changed)),
      watchDaemon: (device, ended) => port.watchDaemon(device, whileAlive(ended)),
    };
  }
}
