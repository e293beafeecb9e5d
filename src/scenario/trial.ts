import { createHash } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import type { AgentOptions, ContainerRef, ProgramRun, RunningProgram } from '../../clusters/cluster.ts';
import type { Fault } from '../faults/fault.ts';
import type { ScenarioNotes, Session } from '../run/session.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Application, type ApplicationDifferences, Applications } from './applications.ts';
import { type DatasetDifferences, Datasets } from './datasets.ts';
import { runningDaemon } from './fuse-pod.ts';
import { type Objects, objectsIn } from './objects.ts';
import { PodReads } from './pod-reads.ts';
import { Strikes } from './strikes.ts';
import { type Wait, Waiting } from './waiting.ts';

const defaultRate = 200;

/** Where a pod is read in, and what is to be found there, where that is not all of its dataset at /data in `demo`. */
export interface Observed {
  readonly container?: string;
  readonly path?: string;
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

interface TrialOptions {
  readonly rate?: number;
  readonly patience?: number;
  readonly namespace?: string;
}

/** One scenario while it runs: a namespace of its own, and the verbs that steps are made of. */
export class Trial implements AsyncDisposable {
  readonly namespace: string;
  readonly session: Session;
  readonly notes: ScenarioNotes;
  readonly #objects: Objects;
  readonly #stack = new AsyncDisposableStack();
  readonly #tenants = new AsyncDisposableStack();
  readonly #applications: Applications;
  readonly #datasets: Datasets;
  readonly #strikes: Strikes;
  readonly #waiting: Waiting;
  readonly #reads: PodReads;
  #agent: AgentOptions;
  #agentChanged = false;

  readonly #rate: number;

  /**
   * `rate`: operations a second of the probes. `patience`: so many times the cluster's. `namespace`: instead of one that is
   * named after the scenario.
   */
  constructor(
    session: Session,
    notes: ScenarioNotes,
    { rate = defaultRate, patience = 1, namespace }: TrialOptions = {},
  ) {
    this.#rate = rate;
    this.session = session;
    this.#agent = session.agent;
    this.notes = notes;
    this.namespace = namespace ?? namespaceFor(notes.id);
    this.#objects = objectsIn({
      kubeConfig: session.cluster.kubeConfig,
      namespace: this.namespace,
      node: session.cluster.applicationNode,
      labels: session.cluster.namespaceLabels,
    });
    this.#waiting = new Waiting(session, notes.id, patience);
    const probeOf = (name: string) => `${this.namespace}/${name}/${this.#placeOf(name)}`;
    const { agent } = session.profile;
    const saysItTwice = agent !== undefined && agent.command === undefined;
    this.#reads = new PodReads(this.#waiting, { namespace: this.namespace, probeOf, saysItTwice });
    this.#strikes = new Strikes(session);
    const scene = { session, waiting: this.#waiting, namespace: this.namespace, objects: this.#objects };
    this.#datasets = new Datasets(scene);
    this.#applications = new Applications({ ...scene, rate, keep: (probe) => void this.#stack.use(probe) });
  }

  async begin(): Promise<void> {
    await this.#objects.createNamespace();
    this.#stack.defer(() => this.#release());
    this.#stack.use(this.#datasets);
  }

  /** Another tenant of the same scenario, until its end. */
  async tenant(namespace: string): Promise<Trial> {
    const tenant = new Trial(this.session, this.notes, { rate: this.#rate, namespace });
    await tenant.begin();
    this.#tenants.use(tenant);
    return tenant;
  }

  /** Everything that happened in this scenario so far, in order of time. */
  get history(): readonly HistoryEvent[] {
    return this.#waiting.history;
  }

  /** The agent's flags that are in force. */
  get agent(): AgentOptions {
    return this.#agent;
  }

  /** The API's objects in the scenario's namespace. */
  get objects(): Objects {
    return this.#objects;
  }

  async setGate(fuseRecovery: boolean): Promise<void> {
    if (this.#agent.fuseRecovery !== fuseRecovery) await this.setAgent({ fuseRecovery });
  }

  /** Starts the agent again with other flags, until the end of the scenario. */
  async setAgent(change: Partial<AgentOptions>): Promise<void> {
    this.agentWasChanged(change);
    await this.session.cluster.restartAgent(this.#agent);
  }

  /** The agent is being given other flags by somebody else, until the end of the scenario. */
  agentWasChanged(change: Partial<AgentOptions>): void {
    this.#agentChanged = true;
    this.#agent = { ...this.#agent, ...change };
  }

  /** Until the Dataset is bound. */
  createDataset(name: string, differences?: DatasetDifferences): Promise<void> {
    return this.#datasets.create(name, differences);
  }

  /** What lies in a dataset. */
  filesOf(name: string): Readonly<Record<string, Uint8Array>> {
    return this.#datasets.filesOf(name);
  }

  /** Without waiting for what becomes of it. */
  applyDataset(name: string, differences?: DatasetDifferences): Promise<void> {
    return this.#datasets.apply(name, differences);
  }

  /** Puts the document's files into the bucket for a dataset that somebody else creates. Their directory there. */
  fillDataset(name: string): Promise<string> {
    return this.#datasets.fill(name);
  }

  ensureDataset(name: string): Promise<void> {
    return this.#datasets.ensure(name);
  }

  claimOf(name: string) {
    return this.#objects.readClaim(name);
  }

  workersOf(name: string): Promise<readonly V1Pod[]> {
    return this.#objects.listPods(`role=jindofs-worker,release=${name}`);
  }

  pod(name: string): Promise<V1Pod> {
    return this.#objects.readPod(name);
  }

  /** Creates the document's pod, and does not wait for it. */
  createApplication(name: string, claim: string, differences: ApplicationDifferences): Promise<void> {
    return this.#applications.create(name, claim, differences);
  }

  /** Starts the document's pod and a probe beside it, until it reads. */
  async startApplication(name: string, claim: string, differences: ApplicationDifferences): Promise<void> {
    await this.createApplication(name, claim, differences);
    const { mountPath } = differences;
    await this.observe(name, claim, mountPath === undefined ? {} : { path: mountPath });
  }

  /** Waits for a pod that was created, and reads in it with a probe. */
  async observe(name: string, claim: string, observed: Observed = {}): Promise<void> {
    const { container = 'demo', path = '/data', files = this.#datasets.filesOf(claim) } = observed;
    await this.#applications.observe({ pod: name, container, path, dataset: claim, files });
    await this.reads(name);
    await this.snapshot('before');
  }

  /** Starts the user's own program in the pod. */
  async run(name: string, command: readonly string[], as = command.join(' ')): Promise<RunningProgram> {
    const { target } = this.application(name);
    return this.#stack.use(await this.session.cluster.run(target, command, as));
  }

  /** Starts one of the harness's own programs in a pod, or on the node. */
  async runProgram({ pod, ...run }: Omit<ProgramRun, 'target'> & { readonly pod?: string }): Promise<RunningProgram> {
    const target = pod === undefined ? {} : { target: this.application(pod).target };
    return this.#stack.use(await this.session.cluster.runProgram({ ...run, ...target }));
  }

  exec(name: string, command: readonly string[]) {
    return this.session.cluster.exec(this.application(name).target, command);
  }

  /** Crashes the daemon of a dataset. `stays`: the kubelet does not start it again until `bringDaemonBack`. */
  async crash(fault: Fault, claim: string, { stays = false } = {}): Promise<void> {
    const daemon = await this.#daemonOf(claim);
    if (stays) await this.#strikes.hold(daemon);
    await this.strike(fault, claim, daemon);
  }

  /** Injects a fault; what does not heal by itself is healed by `heal`, and at the end of the scenario. */
  async strike(fault: Fault, claim: string, known?: ContainerRef): Promise<void> {
    const daemon = known ?? (await this.#daemonOf(claim));
    // A dataset that no pod uses has no daemon.
    const used = new Set(this.#applications.all.map((application) => application.dataset));
    const others = this.#datasets.names.filter((name) => name !== claim && used.has(name));
    const users = this.#applications.all.filter((application) => application.dataset === claim);
    await this.#strikes.strike(fault, {
      daemon,
      otherDaemons: await Promise.all(others.map((name) => this.#daemonOf(name))),
      application: users[0]?.target ?? { namespace: this.namespace, pod: '', container: 'demo' },
      agent: this.#agent,
      store: this.#datasets.storeOf(claim),
    });
  }

  /** Ends the faults that do not end by themselves. */
  heal(): Promise<void> {
    return this.#strikes.heal();
  }

  bringDaemonBack(): Promise<void> {
    return this.#strikes.release();
  }

  /** Until the probe in the pod failed with a dead mount's errno after the last fault. */
  failsAfterCrash(name: string): Promise<void> {
    return this.#reads.failsAfterCrash(name);
  }

  /** Until the probe in the pod has read ten times in a row, and listed, since the last fault, or since it began. */
  reads(name: string): Promise<void> {
    return this.#reads.reads(name);
  }

  /** Until the daemon died and was back, and the pod has read again. */
  readsAfterRecovery(name: string): Promise<void> {
    return this.#reads.readsAfterRecovery(name);
  }

  /** Until the daemon is back and a recovery, were there one, would have happened; the pod still fails then. */
  staysBroken(name: string, watchMs: number): Promise<void> {
    return this.#reads.staysBroken(name, watchMs);
  }

  /** Until the agent's claim that the pod was recovered is in the history, with what confirms or refutes it. */
  claimArrives(name: string): Promise<void> {
    return this.#reads.claimArrives(name);
  }

  /** Until a Kubernetes event refuses the recovery with a reason that contains a word. */
  async refusalArrives(reason: string): Promise<void> {
    await this.happens(
      `an event whose reason contains ${reason}`,
      (event) => event.kind === 'event' && event.reason.includes(reason),
    );
  }

  /** How long what must not happen is waited for, in milliseconds. */
  get watchMs(): number {
    return this.session.cluster.watchMs;
  }

  /** Lets time pass while things are watched: for promises that something does not happen. */
  watchFor(milliseconds: number): Promise<void> {
    return this.#waiting.watchFor(milliseconds);
  }

  application(name: string): Application {
    return this.#applications.of(name);
  }

  /** The observed pods, where they see their datasets. */
  get consumers(): readonly (ContainerRef & { readonly path: string })[] {
    return this.#applications.all.map(({ target, path }) => ({ ...target, path }));
  }

  /** Moment of the last fault in nanoseconds since the run began; 0 where there was none. */
  get lastFault(): number {
    return this.#waiting.lastFault;
  }

  /** Records what a check says; a step fails where the check does. */
  judge(...checks: readonly CheckRecord[]): void {
    this.notes.checks.push(...checks);
    const bad = checks.filter(({ verdict }) => verdict !== 'pass');
    if (bad.length > 0) throw new Error(bad.map(({ name, says }) => `${name}: ${says}`).join('\n'));
  }

  /** Takes the mount tables once more and notes how many lines they have now. */
  async countMounts(): Promise<void> {
    this.notes.mountLines = await this.#applications.countMounts();
  }

  /** Reads in a pod with one more probe, at another path than the dataset's. */
  probeAt(name: string, path: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    return this.#applications.probeAt(name, path, files);
  }

  /** Keeps something until the end of the scenario. */
  use(resource: AsyncDisposable): void {
    this.#stack.use(resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bringDaemonBack();
    await this.heal();
    // Nothing of this one's may be left while the others are still there.
    await using _ = this.#tenants;
    await this.#stack.disposeAsync();
    if (this.#agentChanged) await this.session.cluster.restartAgent(this.session.agent);
  }

  async #release(): Promise<void> {
    const left = await this.session.cluster.release(this.namespace);
    this.session.leftovers.push(...left.map((line) => `${this.namespace}: ${line}`));
    if (left.length > 0) throw new Error(`not released: ${left.join('; ')}`);
  }

  /** Until a pod runs and is ready. */
  waitForPod(name: string): Promise<V1Pod> {
    return this.#applications.waitFor(name);
  }

  /** Records the mount tables of node and pods; how many lines they have. */
  snapshot(label: string): Promise<number> {
    return this.#applications.snapshot(label);
  }

  /** Container and path of a pod that is read in. */
  #placeOf(name: string): string {
    const { target, path } = this.application(name);
    return `${target.container}:${path}`;
  }

  /** The dataset's daemon on the node of the pods that use it, or on any where none does. */
  #daemonOf(claim: string): Promise<ContainerRef> {
    return this.#daemonOn(this.#applications.all.find(({ dataset }) => dataset === claim)?.node, claim);
  }

  /** The daemon that serves a pod: that of its dataset on its node. */
  daemonBeside(pod: string): Promise<ContainerRef> {
    const { node, dataset } = this.application(pod);
    return this.#daemonOn(node, dataset);
  }

  #daemonOn(node: string | undefined, dataset: string): Promise<ContainerRef> {
    return runningDaemon(
      { objects: this.#objects, waiting: this.#waiting },
      { namespace: this.namespace, dataset, node },
    );
  }

  /** Until a daemon has become ready after a moment, in nanoseconds since the run began. */
  daemonReadyAfter(since: number): Promise<void> {
    return this.#waiting.daemonReadyAfter(since);
  }

  /** Until something is in the history. */
  happens(what: string, is: (event: HistoryEvent) => boolean): Promise<void> {
    return this.#waiting.happens(what, is);
  }

  /** Until something is as wanted, within a patience that is enough on a slow machine. */
  poll<T>(wait: Wait<T>): Promise<T> {
    return this.#waiting.poll(wait);
  }
}

/** One that no other scenario has, short enough for the labels that a dataset makes of it. */
function namespaceFor(scenario: string): string {
  const name = `rk-${scenario}`.slice(0, 32).replace(/-+$/, '');
  return `${name}-${createHash('sha256').update(scenario).digest('hex').slice(0, 6)}`;
}
