import { createNodeService, type NodeService } from '../../../recovery/csi/node.ts';
import { Engine } from '../../../recovery/engine/engine.ts';
import type { Decision, DeviceId, KernelTier, Policy } from '../../../recovery/engine/model.ts';
import type { KernelPort, KubernetesPort, ReadRequest } from '../../../recovery/engine/ports.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { createVolumeLocks } from '../../../recovery/engine/volume-state.ts';
import { createModelledPort, type ModelledPort } from '../../../recovery/linux/model/modelled-port.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import { createPublisher } from '../../../recovery/linux/publish.ts';
import { kubeletRoot, type ModelledNode, mountRoot } from './modelled-node.ts';

const changing: ReadonlySet<string> = new Set(['mount', 'umount2', 'move_mount', 'mount_setattr']);

/** Thrown out of the system call before which the agent dies. */
export class AgentDied extends Error {}

const policy: Policy = {
  enabled: true,
  readWriteScope: 'volume',
  subPath: 'refuse',
  pods: 'label',
  unsupportedRuntimes: [],
};

export interface ModelledAgentOptions {
  readonly node: ModelledNode;
  readonly clock: ModelledClock;
  readonly tier: KernelTier;
  readonly kubernetes: KubernetesPort;
  readonly record: (decision: Decision) => void;
  /** A read of a consumer has succeeded. */
  readonly onRead: (request: ReadRequest, device: DeviceId) => void;
  /** A call that changes mount tables has been made. */
  readonly onChange: () => void;
  readonly onAbort: () => void;
  readonly onDeath: () => void;
}

/** The agent as a process: the engine and the CSI service on the modelled kernel, with the real mount sequences. */
export class ModelledAgent {
  readonly engine: Engine;
  readonly csi: NodeService;
  readonly #sys: ModelledSyscalls;
  readonly #options: ModelledAgentOptions;
  readonly #died = Promise.withResolvers<never>();
  readonly #port: ModelledPort;
  #isDead = false;
  #hasChanged = false;
  #callsLeft: number | undefined;

  constructor(options: ModelledAgentOptions) {
    this.#options = options;
    this.#died.promise.catch(() => undefined);
    const { node, clock, kubernetes, tier, record } = options;
    this.#sys = new ModelledSyscalls({
      kernel: node.kernel,
      namespaceOf: (pid) => node.processes.find((each) => each.pid === pid)?.sys.namespace,
      before: (call) => this.#beforeCall(call),
    });
    this.#port = createModelledPort({
      ...{ kernel: node.kernel, sys: this.#sys, clock, tier, kubeletRoot, records: node.records },
      processes: () => node.processes,
    });
    const kernel = this.#observed(this.#port);
    const locks = createVolumeLocks();
    this.engine = new Engine({
      kernel,
      kubernetes,
      clock,
      locks,
      recorder: record,
      policy: () => policy,
      kubeletRoot: () => kubeletRoot,
    });
    this.csi = createNodeService({
      ...{
        nodeId: 'node',
        standby: false,
        kernel: { ...kernel, kubeletDirectory: () => kubeletRoot },
        publisher: createPublisher(this.#port.context),
        locks,
        clock,
        kubeletRoot,
        mountRoot,
      },
      unproven: () => this.engine.unproven(),
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Ends the process before one of its next system calls. */
  dieBefore(call: number): void {
    this.#callsLeft = call;
  }

  /** Runs a CSI call; rejects with `AgentDied` if the agent dies meanwhile. */
  call<T>(run: (csi: NodeService) => Promise<T>): Promise<T> {
    if (this.#isDead) return Promise.reject(new AgentDied());
    return Promise.race([run(this.csi), this.#died.promise]);
  }

  end(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#sys.exit();
    this.#port[Symbol.dispose]();
    void this.engine[Symbol.asyncDispose]();
    this.#died.reject(new AgentDied());
    this.#options.onDeath();
  }

  #beforeCall(call: string): undefined {
    if (this.#hasChanged && !this.#isDead) this.#options.onChange();
    this.#hasChanged = changing.has(call);
    if (this.#callsLeft === 0) this.end();
    if (this.#isDead) throw new AgentDied();
    if (this.#callsLeft !== undefined) this.#callsLeft -= 1;
    return undefined;
  }

  /** The port, which reports what the invariants are about. After the agent's death it calls nothing back. */
  #observed(port: ModelledPort): KernelPort {
    const { onRead, onAbort } = this.#options;
    const whileAlive = (run: () => void) => () => {
      if (!this.#isDead) run();
    };
    return {
      ...port,
      async read(request) {
        const result = await port.read(request);
        if (result.ok) onRead(request, result.value.device);
        return result;
      },
      abort(device) {
        onAbort();
        return port.abort(device);
      },
      watchMounts: (changed) => port.watchMounts(whileAlive(changed)),
      watchDaemon: (device, exited) => port.watchDaemon(device, whileAlive(exited)),
    };
  }
}
