import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { foreignDaemonProgram } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import { daemonProgram } from '../../fakes/fuse/bundle.ts';
import { createImages, type RuntimeOptions, type StartedContainer } from '../../fakes/kubelet/container.ts';
import type { Kubelet } from '../../fakes/kubelet/kubelet.ts';
import { type Linux, loadLinux } from '../../fakes/kubelet/linux.ts';
import type { KubeletEvent } from '../../fakes/kubelet/pod-worker.ts';
import { exitOf, type Program, startProgram } from '../../fakes/program.ts';
import { type Store, startStore } from '../../fakes/store/start-store.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { takeoverUnsupported } from '../../recovery/linux/fuse-descriptor.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { proberArgv } from '../../recovery/linux/prober/client.ts';
import { MNT_DETACH } from '../../recovery/linux/syscalls.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { mountsBeneath } from '../agent-tier.ts';
import { packageFlags } from '../bundled-packages.ts';
import type { AgentSettings, ContainerRef, ExecResult, ProgramRun, RunningProgram, Usage } from '../cluster.ts';
import { ContainerLogs } from '../container-logs.ts';
import { followFlags } from '../flag-access.ts';
import { cpuCgroups, type MemoryCgroups, memoryCgroups } from '../node/cgroups.ts';
import { type ForeignReadiness, foreignReadiness } from '../node/foreign-readiness.ts';
import { daemonEvent, roleOf } from '../node/log-events.ts';
import { readMountTable } from '../node/mount-table.ts';
import { MountWatch, withoutEngineMounts } from '../node/mount-watch.ts';
import { type NodeListeners, type NodeParts, NodeProgram } from '../node/node-program.ts';
import { usageOfTree } from '../node/usage.ts';
import { agentAccount, createServiceAccounts } from './agent-access.ts';
import { AgentProcess } from './agent-process.ts';
import { agentProgram } from './bundles.ts';
import { combineDifferences, conditionsNamed } from './conditions/catalogue.ts';
import type { ConditionNode, Neighbours, NodeCondition, NodeDifferences } from './conditions/condition.ts';
import { describeFidelity } from './fidelity.ts';
import { KeeperProcess } from './keeper-process.ts';
import { KubeletProcess } from './kubelet-process.ts';
import { type KubeletDirectories, kubeletDirectories, kubeletHistory, startKubelets } from './kubelets.ts';
import { enterNodeRoot } from './node-root.ts';
import { node as places, programs } from './paths.ts';
import type { SandboxProcedures, Started, SupervisorOptions } from './protocol.ts';
import { startServing } from './serving-process.ts';

/** How long the pods of neighbours may take to start. */
const neighboursMs = 30_000;

interface KubeletParts {
  readonly runtime: RuntimeOptions;
  readonly kubeConfig: KubeConfig;
  /** The program of the FUSE pods. */
  readonly daemon: { readonly command: readonly string[] };
  readonly differences: NodeDifferences;
  readonly kubeletRoot: string;
}

export interface SandboxListeners extends NodeListeners {
  readonly onProgress: (line: string) => void;
}

/** The sandbox's only node, with everything that runs on it. */
export class SandboxNode extends NodeProgram implements SandboxProcedures {
  readonly #onProgress: (line: string) => void;
  readonly #watched = new Map<number, Disposable>();
  #foreign: ForeignReadiness | undefined;
  #neighbours: readonly Neighbours[] = [];
  readonly #onEvent = (event: HistoryEvent): void =>
    this.#foreign ? this.#foreign.take(event) : this.listeners.onEvent(event);
  #parts:
    | {
        readonly options: SupervisorOptions;
        readonly kubeConfig: KubeConfig;
        readonly kubelet: Kubelet;
        readonly kubeletProcess: KubeletProcess;
        readonly directories: KubeletDirectories;
        readonly mountRoot: string;
        readonly store: Store;
        readonly agent: AgentProcess;
        readonly keeper: KeeperProcess;
        readonly mounts: MountWatch;
        readonly linux: Linux;
        readonly memory: MemoryCgroups | undefined;
      }
    | undefined;

  constructor(listeners: SandboxListeners) {
    super(listeners);
    this.#onProgress = listeners.onProgress;
  }

  async start(options: SupervisorOptions): Promise<Started> {
    const { environment, resultsDir } = options;
    const { onEvent } = this.listeners;
    const onProgress = this.#onProgress;
    const linux = loadLinux();
    const chosen = conditionsNamed(options.conditions);
    const differences = combineDifferences(chosen);
    const directories = kubeletDirectories(differences);
    const { mountRoot = places.mountRoot, isRootReadOnly: isReadOnly = false } = differences;
    enterNodeRoot(linux, options.scratch, { kubelet: directories, mountRoot, isReadOnly });
    for (const path of [places.scratch, join(resultsDir, 'logs')]) mkdirSync(path, { recursive: true });

    onProgress('starting API server, Fluid controllers and object store');
    const { driver } = options.agent;
    const controlPlane = startServing({
      name: 'control plane',
      argv: [
        process.execPath,
        ...packageFlags(),
        programs.controlPlane,
        '--port=0',
        `--kubeconfig=${places.kubeconfigs.admin}`,
        `--mount-root=${mountRoot}`,
        ...(driver === undefined
          ? []
          : [`--driver=${driver}=${join(directories.agent, 'csi-plugins', driver, 'csi.sock')}`]),
      ],
      environment,
      logFile: join(resultsDir, 'logs/control-plane.log'),
    });
    const [, store, program, daemon] = await Promise.all([
      controlPlane.ready,
      this.#startStore(options),
      agentProgram(),
      options.daemon ? foreignDaemonProgram(options.daemon) : daemonProgram(),
    ]);
    const admin = readFileSync(places.kubeconfigs.admin, 'utf8');
    const kubeConfig = clientConfig(admin);
    const accounts = await createServiceAccounts(kubeConfig, places.name);
    await followFlags(kubeConfig, agentAccount, options.agent);
    writeFileSync(places.kubeconfigs.webhook, accounts.webhook);
    writeFileSync(places.kubeconfigs.kubelet, accounts.kubelet, { mode: 0o600 });
    mkdirSync(places.agentAccount);
    for (const [name, content] of Object.entries(accounts.agent.files))
      writeFileSync(join(places.agentAccount, name), content);

    onProgress('starting the node agent and the kubelet');
    if (options.daemon) this.#foreign = foreignReadiness({ onEvent, prober: proberArgv(), mountRoot });
    const mounts = new MountWatch(this.#onEvent);
    mounts.watch('self', 'node');
    const kubeletRoot = directories.kubelet;
    this.#neighbours = await this.#startNeighbours(options, chosen, { kubeConfig, linux, kubeletRoot, mountRoot });
    const kubeletProcess = new KubeletProcess(environment, differences.kubeletProcess);
    // This Node may be one of the user's, below a directory that containers do not share.
    const node = process.execPath.startsWith(`${programs.project}/`) ? [] : [dirname(process.execPath)];
    const runtime = { linux, scratch: places.scratch, keep: [programs.project, options.workingDirectory, ...node] };
    const inPods = { ...runtime, image: differences.image, links: differences.imageLinks };
    const kubelets = this.#startKubelets(options, { runtime: inPods, kubeConfig, daemon, differences, kubeletRoot });
    const cpu = cpuCgroups(`rekindle-${options.runId}`);
    const agent = new AgentProcess({
      cpu,
      command: withTurns(program.command, environment),
      account: { directory: places.agentAccount, environment: accounts.agent.environment },
      adminKubeconfig: places.kubeconfigs.admin,
      nodeName: places.name,
      sockets: join(directories.agent, 'csi-plugins'),
      kubeletRoot: directories.agent,
      mountRoot,
      runtime,
      registered: async (driver, signal) => (await kubelets).registered(driver, signal),
      environment,
      workingDirectory: options.workingDirectory,
      scratch: places.agentFiles,
      logFile: join(resultsDir, 'logs/agent.log'),
      onEvent,
    });
    const keeper = new KeeperProcess({
      command: program.keeper,
      nodeName: places.name,
      runtime,
      environment,
      logFile: join(resultsDir, 'logs/keeper.log'),
      onEvent,
    });
    await keeper.follow(options.agent.keeper);
    const [kubelet] = await Promise.all([
      kubelets,
      agent.start(options.agent),
      startServing({
        name: 'admission webhook',
        argv: [
          ...program.webhook,
          '--listen=127.0.0.1:0',
          `--mount-root=${mountRoot}`,
          `--kubeconfig=${places.kubeconfigs.webhook}`,
          '--register=self',
        ],
        environment,
        logFile: join(resultsDir, 'logs/webhook.log'),
      }).ready,
    ]);
    const memory = memoryCgroups(`rekindle-${options.runId}`, environment);
    this.#parts = {
      options,
      kubeConfig,
      kubelet,
      kubeletProcess,
      directories,
      mountRoot,
      store,
      agent,
      keeper,
      mounts,
      linux,
      memory,
    };
    // Their mounts would otherwise come during a scenario. An agent that does not publish them is judged by the scenario of the condition.
    await this.#lateNeighbours();
    const { endpoint, bucket, accessKeyId, accessKeySecret } = store;
    return {
      kubeConfig: admin,
      store: { endpoint, bucket, accessKeyId, accessKeySecret },
      fidelity: describeFidelity({ ...options, bundled: program.bundled }),
      capabilities: [
        ...(memory ? ['memory-cgroups' as const] : []),
        ...(cpu ? ['cpu-limit' as const] : []),
        ...(mountsBeneath({ reported: agent.tier, flag: options.agent.kernelTier, kernel: release() })
          ? ['mount-beneath' as const]
          : []),
        ...(options.daemon ? [] : ['fake-daemon' as const]),
        ...(takeoverUnsupported(release()) === undefined ? ['takeover' as const] : []),
      ],
    };
  }

  async exec(
    target: ContainerRef,
    command: readonly string[],
    { timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {},
  ): Promise<ExecResult> {
    const program = this.container(target).exec(command, this.#running.options.environment);
    const timer = setTimeout(() => program.kill('SIGKILL'), timeoutMs);
    const [exit, stdout, stderr] = await Promise.all([exitOf(program), text(program.stdout), text(program.stderr)]);
    clearTimeout(timer);
    return { ...exit, stdout, stderr };
  }

  async run(target: ContainerRef, command: readonly string[], name: string): Promise<RunningProgram> {
    const { environment, workingDirectory } = this.#running.options;
    return this.report(this.container(target).exec(command, environment, workingDirectory), name);
  }

  protected override startProgram({ program, args, target }: ProgramRun): Program {
    const { environment, workingDirectory, programs } = this.#running.options;
    const command = [process.execPath, programs[program], ...args];
    if (target) return this.container(target).exec(command, environment, workingDirectory);
    return startProgram(command, { env: environment, cwd: workingDirectory });
  }

  async holdRestarts({ namespace, pod, container }: ContainerRef): Promise<AsyncDisposable> {
    const hold = this.#running.kubelet.hold(namespace, pod, container);
    return { [Symbol.asyncDispose]: async () => hold[Symbol.dispose]() };
  }

  async pid(target: ContainerRef): Promise<number> {
    return this.container(target).pid;
  }

  async restartAgent(agent: AgentSettings): Promise<void> {
    await this.#running.keeper.follow(agent.keeper);
    await followFlags(this.#running.kubeConfig, agentAccount, agent);
    await this.#running.agent.stop();
    await this.#running.agent.start(agent);
  }

  async killAgent(): Promise<number> {
    return this.#running.agent.kill();
  }

  async stopAgent(): Promise<AsyncDisposable> {
    const { agent } = this.#running;
    await agent.stop();
    return { [Symbol.asyncDispose]: () => agent.startAgain() };
  }

  async killKeeper(): Promise<number> {
    return this.#running.keeper.kill();
  }

  async restartKubelet(): Promise<number> {
    const { kubelet, kubeletProcess } = this.#running;
    const at = monotonicNow();
    await kubeletProcess.restart();
    kubelet.restart();
    return at;
  }

  async rebootNode(): Promise<number> {
    const { agent, kubelet, directories, mountRoot } = this.#running;
    const at = monotonicNow();
    await agent.powerOff();
    await kubelet.reboot(async () => {
      // Mounts of kubelet, agent and daemons. Their directories stay.
      const lost = [`${directories.directory}/`, `${mountRoot}/`];
      this.#detachAll((mountPoint) => lost.some((root) => mountPoint.startsWith(root)));
      await agent.startAgain();
    });
    return at;
  }

  async agentMetrics(): Promise<string> {
    const { metrics } = this.#running.agent;
    if (metrics === undefined) throw new Error('the agent is not running');
    return (await fetch(`http://${metrics}/metrics`)).text();
  }

  async agentStatusAddress(): Promise<string> {
    const { status } = this.#running.agent;
    if (status === undefined) throw new Error('the agent is not running, or serves no status');
    return status;
  }

  async agentUsage(): Promise<Usage> {
    return usageOfTree(this.#running.agent.pid ?? 0);
  }

  async leftovers(namespace: string): Promise<readonly string[]> {
    const { kubelet, mountRoot } = this.#running;
    // A daemon that ended with its pod may leave a dead mount that nobody uses. Fluid's NodeStage would remove it.
    if (kubelet.pods(namespace).length === 0)
      this.#detachAll((path) => path.startsWith(`${mountRoot}/jindo/${namespace}/`));
    const table = withoutEngineMounts(readMountTable('self'));
    const mounts = table.filter((line) => line.includes(`/jindo/${namespace}/`) || line.includes(`/${namespace}-`));
    const pods = kubelet.pods(namespace).map((name) => `pod ${namespace}/${name}`);
    // Mounts of pods of the virtual node have only a UID in their path, so none may be left once no pod is.
    const ofVirtualNode =
      pods.length > 0 ? [] : table.filter((line) => line.includes(` ${places.virtual.kubeletRoot}/`));
    return [...pods, ...[...mounts, ...ofVirtualNode].map((line) => `mount ${line}`)];
  }

  async stop(): Promise<void> {
    const { agent, keeper, kubelet, mounts, store } = this.#running;
    await kubelet[Symbol.asyncDispose]();
    for (const { end } of this.#neighbours) await end?.();
    await agent.stop();
    await keeper.follow(undefined);
    mounts[Symbol.dispose]();
    await this.#foreign?.[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  }

  /** Starts what else is on the node. */
  async #startNeighbours(
    { environment, resultsDir }: SupervisorOptions,
    chosen: readonly NodeCondition[],
    given: Pick<ConditionNode, 'kubeConfig' | 'linux' | 'kubeletRoot' | 'mountRoot'>,
  ): Promise<readonly Neighbours[]> {
    const begun = await Promise.all(
      chosen.map(async ({ name, begin }) => {
        const directory = join(places.neighbours, name);
        mkdirSync(directory, { recursive: true });
        const logFile = join(resultsDir, `logs/${name}.log`);
        return begin?.({ ...given, environment, logFile, directory });
      }),
    );
    return begun.filter((neighbours) => neighbours !== undefined);
  }

  async harmedNeighbours(): Promise<readonly string[]> {
    const neighbours = this.#neighbours;
    await Promise.all(neighbours.map(({ settled }) => settled?.()));
    if (neighbours.every(({ mounts }) => mounts.size === 0)) throw new Error('the node has no neighbours with mounts');
    if (await this.#lateNeighbours()) return [`a pod of a neighbour does not run after ${neighboursMs / 1000} s`];
    return neighbours.flatMap(({ mounts }) => mounts.touched());
  }

  /** Waits for the pods of neighbours. Resolves with true if they do not run in time. */
  async #lateNeighbours(): Promise<boolean> {
    const late = delay(neighboursMs, 'late', { ref: false });
    const states = await Promise.all(this.#neighbours.map(({ started }) => started && Promise.race([started, late])));
    return states.includes('late');
  }

  get #running() {
    if (!this.#parts) throw new Error('the sandbox has not started');
    return this.#parts;
  }

  protected override get parts(): NodeParts {
    const { linux, memory, options, store } = this.#running;
    const readsOnly = combineDifferences(conditionsNamed(options.conditions)).probeReadsOnly === true;
    return {
      linux,
      memory,
      environment: options.environment,
      probe: [process.execPath, options.programs.probe, ...(readsOnly ? ['--no-listing'] : [])],
      init: 'self',
      confirmsMounts: options.confirmsMounts,
      store,
      address: '127.0.0.1',
    };
  }

  protected override container({ namespace, pod, container }: ContainerRef): StartedContainer {
    const found = this.#running.kubelet.container(namespace, pod, container);
    if (!found) throw new Error(`container ${namespace}/${pod}/${container} is not running`);
    return found;
  }

  #startStore({ runId, environment }: SupervisorOptions): Promise<Store> {
    const { signal } = new AbortController();
    return startStore({ runId, bucket: 'demo-bucket', signal, environment });
  }

  #startKubelets(
    { environment, clockScale, resultsDir }: SupervisorOptions,
    { runtime, kubeConfig, daemon, differences, kubeletRoot }: KubeletParts,
  ): Promise<Kubelet> {
    const logs = new ContainerLogs(resultsDir);
    // A daemon uses the last flag, which is the dataset's own if it has one.
    const behaviour = differences.daemon ? [`--behaviour=${JSON.stringify(differences.daemon)}`] : [];
    return startKubelets({
      rootDir: kubeletRoot,
      kubeConfig,
      runtime,
      images: createImages({ 'rekindle/fuse': [...daemon.command, ...behaviour] }),
      ...(differences.volumeData && { volumeData: differences.volumeData }),
      ...(differences.isTerminationSlow && { isTerminationSlow: true }),
      environment,
      clockScale,
      report: (event) => this.#report(event),
      log: (container, stream, chunk) => {
        logs.write(container, chunk);
        if (stream === 'stdout' && roleOf(container) === 'daemon') this.#parseDaemonOutput(container, chunk);
      },
    });
  }

  #report(event: KubeletEvent): void {
    const at = monotonicNow();
    if (event.event === 'exited') {
      this.#watched.get(event.pid)?.[Symbol.dispose]();
      this.#watched.delete(event.pid);
    }
    for (const historyEvent of kubeletHistory(event, at)) this.#onEvent(historyEvent);
    if (event.event !== 'started' || roleOf(event.container) !== 'container') return;
    this.#watchMounts(event.pid, event.container);
    for (const { onContainer } of this.#neighbours) onContainer?.(event.pid);
  }

  #watchMounts(pid: number, where: string): void {
    const mounts = this.#parts?.mounts;
    if (mounts) this.#watched.set(pid, mounts.watch(pid, where));
  }

  /** Reports a daemon's own time stamps as events. */
  #parseDaemonOutput(container: string, chunk: string): void {
    for (const line of chunk.split('\n')) {
      const event = daemonEvent(container, line);
      if (event) this.listeners.onEvent(event);
      if (event?.kind === 'process') this.daemonReady(container);
    }
  }

  #detachAll(condition: (mountPoint: string) => boolean): void {
    const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(({ mountPoint }) =>
      condition(mountPoint),
    );
    for (const { mountPoint } of mounts.toReversed()) this.#running.linux.umount(mountPoint, MNT_DETACH);
  }
}

/** Records the turns of the agent's event loop if `recovery/agent/turns.ts` has started this run. */
function withTurns(
  [node = process.execPath, ...args]: readonly string[],
  { REKINDLE_TURNS }: SupervisorOptions['environment'],
) {
  return REKINDLE_TURNS === undefined ? [node, ...args] : [node, `--import=${programs.turns}`, ...args];
}
