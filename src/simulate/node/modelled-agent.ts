import { createNodeService, type NodeService } from '../../../recovery/csi/node.ts';
import { Engine } from '../../../recovery/engine/engine.ts';
import type {
  Container,
  Decision,
  DeviceId,
  KernelTier,
  Liveness,
  Mount,
  Nanoseconds,
  Policy,
} from '../../../recovery/engine/model.ts';
import type {
  AskRequest,
  KernelPort,
  KubernetesPort,
  ReadAnswer,
  ReadRequest,
  Result,
} from '../../../recovery/engine/ports.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { createVolumeLocks } from '../../../recovery/engine/volume-state.ts';
import type { KernelContext } from '../../../recovery/linux/context.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import type { Connection } from '../../../recovery/linux/model/mounts.ts';
import { WouldBlock } from '../../../recovery/linux/model/walk.ts';
import { createMountinfoParser } from '../../../recovery/linux/mountinfo.ts';
import { openNamespaces } from '../../../recovery/linux/namespaces.ts';
import { createPublisher, type Publisher } from '../../../recovery/linux/publish.ts';
import { replaceAll } from '../../../recovery/linux/replace.ts';
import { failed, ok } from '../../../recovery/linux/result.ts';
import { openStaging } from '../../../recovery/linux/staging.ts';
import { O_PATH } from '../../../recovery/linux/syscalls.ts';
import { openAt, taken } from '../against-kernel/machine.ts';
import { containerUser, kubeletRoot, type ModelledNode, mountRoot, type SimulatedPod } from './modelled-node.ts';

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
  readonly #watches = new DisposableStack();
  #isDead = false;
  #hasChanged = false;
  #callsLeft: number | undefined;

  constructor(options: ModelledAgentOptions) {
    this.#options = options;
    this.#died.promise.catch(() => undefined);
    const { node, clock, kubernetes, tier, record } = options;
    this.#sys = new ModelledSyscalls({
      kernel: node.kernel,
      namespaceOf: (pid) => node.namespaceOf(pid),
      before: (call) => this.#beforeCall(call),
    });
    const context = this.#context(tier);
    const kernel = this.#port(context);
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
    const publisher: Publisher = createPublisher(context);
    this.csi = createNodeService({
      ...{
        nodeId: 'node',
        standby: false,
        kernel: { ...kernel, kubeletDirectory: () => kubeletRoot },
        publisher,
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
    this.#watches.dispose();
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

  #context(tier: KernelTier): KernelContext {
    const sys = this.#sys;
    const namespaces = taken(openNamespaces(sys, undefined));
    const staging = taken(openStaging(sys, namespaces));
    const table = taken(namespaces.openTable());
    const parse = createMountinfoParser();
    let known: readonly Mount[] | undefined;
    this.#watches.use(
      this.#options.node.kernel.watch(() => {
        known = undefined;
      }),
    );
    return {
      ...{ sys, namespaces, staging, tier },
      clones: { keep: (_, tree) => sys.close(tree), take: () => undefined, [Symbol.dispose]: () => undefined },
      late: { close: (fd) => sys.close(fd), [Symbol.dispose]: () => undefined },
      walker: {
        prepare: () => undefined,
        open(at, path) {
          try {
            return path === '' ? openAt(sys, '.', 0, at) : sys.openat2({ at, path, flags: O_PATH, resolve: 0 });
          } catch (error) {
            if (!(error instanceof WouldBlock)) throw error;
            return failed({ errno: 'EINPROGRESS', call: 'openat2', path, step: '' });
          }
        },
        [Symbol.dispose]: () => undefined,
      },
      nodeTable() {
        if (known !== undefined) return ok(known);
        const text = sys.readText(table);
        if (!text.ok) return text;
        known = parse(text.value);
        return ok(known);
      },
    };
  }

  #port(context: KernelContext): KernelPort {
    const { node, clock } = this.#options;
    let containers: readonly Container[] = [];
    const parsers = new Map<number, ReturnType<typeof createMountinfoParser>>();
    const scan = (): readonly Container[] => {
      const found = node.pods.flatMap((pod) => this.#container(pod, context, parsers));
      const isSame =
        found.length === containers.length &&
        found.every((each, index) => {
          const before = containers[index];
          return (
            each.pid === before?.pid &&
            each.mounts.length === before.mounts.length &&
            each.mounts.every((mount, at) => mount === before.mounts[at])
          );
        });
      if (!isSame) containers = found;
      return containers;
    };
    return {
      tier: context.tier,
      hostMounts: () => context.nodeTable(),
      containers: (scope) => (scope === 'known' ? containers.filter(({ pid }) => node.namespaceOf(pid)) : scan()),
      async lookUp(lookUp) {
        const path = lookUp.kind === 'record' ? lookUp.target : lookUp.path;
        const found =
          lookUp.kind === 'record'
            ? node.records.get(path)
            : lookUp.container.mounts.some(({ mountPoint }) => mountPoint === path) && { mountPoint: path };
        return found ? ok(found) : failed({ errno: 'ENOENT', call: 'openat2', path, step: 'look-up' });
      },
      prepareContainers: async () => undefined,
      prepare: () => true,
      replaceAll: (replacements) => replaceAll(context, replacements),
      ask: (request) => this.#ask(request),
      read: (request) => this.#read(request),
      abort: () => {
        this.#options.onAbort();
        return ok(undefined);
      },
      watchMounts: (changed) =>
        node.kernel.watch((namespace) => {
          if (namespace === node.kernel.initial) clock.after(0n as Nanoseconds, () => this.#isDead || changed());
        }),
      watchDaemon: (device, exited) => node.onExit(device, exited),
    };
  }

  #container(
    pod: SimulatedPod,
    { namespaces, sys }: KernelContext,
    parsers: Map<number, ReturnType<typeof createMountinfoParser>>,
  ): readonly Container[] {
    if (pod.process === undefined) return [];
    const [text] = namespaces.inProcesses([pod.pid], () => {
      const table = namespaces.openTable();
      if (!table.ok) return table;
      const read = sys.readText(table.value);
      sys.close(table.value);
      return read;
    });
    if (!text?.ok) return [];
    const parse = parsers.get(pod.pid) ?? createMountinfoParser();
    parsers.set(pod.pid, parse);
    return [
      {
        ...{ podUid: pod.spec.uid, name: 'app', terminationLog: '/dev/termination-log', pid: pod.pid },
        mountNamespace: `mnt:[${pod.process.namespace.inode}]`,
        user: containerUser,
        mounts: parse(text.value),
      },
    ];
  }

  /** The connection of the visible mount at a site, if it is of the device. */
  #topAt(site: AskRequest['site']) {
    const { node } = this.#options;
    if (site.kind !== 'container') return node.at(site.path)?.mount;
    const pod = node.pods.find(({ pid, process }) => pid === site.pid && process !== undefined);
    return pod === undefined ? undefined : node.siteOf(pod)?.mount;
  }

  async #ask({ site, device, deadline }: AskRequest): Promise<Liveness> {
    const asked = this.#options.clock.now();
    const top = this.#topAt(site);
    if (top === undefined) return { status: 'unknown', errno: 'ENOENT' };
    if (top.filesystem.device !== device) return { status: 'unknown', errno: 'ESTALE' };
    const { connection } = top.filesystem;
    if (connection === undefined) return { status: 'live' };
    if (!(await this.#answers(connection, deadline))) return { status: 'hung', since: asked };
    return connection.state === 'dead' ? { status: 'dead', errno: 'ENOTCONN' } : { status: 'live' };
  }

  async #read(request: ReadRequest): Promise<Result<ReadAnswer>> {
    const { site, deadline } = request;
    const fails = (errno: string) => failed({ errno, call: 'read', path: site.path, step: 'read-list' });
    const top = this.#topAt(site);
    if (top === undefined) return fails('ENOENT');
    const { connection, device } = top.filesystem;
    if (connection !== undefined && !(await this.#answers(connection, deadline))) return fails('ETIMEDOUT');
    if (connection?.state === 'dead') return fails('ENOTCONN');
    this.#options.onRead(request, device);
    return ok({ device });
  }

  async #answers(connection: Connection, deadline: Nanoseconds): Promise<boolean> {
    if (connection.state !== 'starting' && connection.state !== 'hung') return true;
    const { node, clock } = this.#options;
    return new Promise((resolve) => {
      const settle = (value: boolean) => {
        timer[Symbol.dispose]();
        wake[Symbol.dispose]();
        resolve(value);
      };
      const timer = clock.after((deadline - clock.now()) as Nanoseconds, () => settle(false));
      const wake = node.onAnswer(connection, () => settle(true));
    });
  }
}
