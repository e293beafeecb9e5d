import { createHash } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import type { AgentOptions, ContainerRef, FaultyStore, RunningProgram } from '../../clusters/cluster.ts';
import type { CheckRecord, HistoryEvent } from '../../reports/record.ts';
import type { Fault, Injected } from '../faults/fault.ts';
import {
  application,
  applicationLabel,
  dataset,
  documentedFiles,
  type Manifest,
  secret,
  type VolumeBelow,
} from './manifests.ts';
import { type Objects, objectsIn } from './objects.ts';
import { poll } from './poll.ts';
import type { ScenarioNotes, Session } from './session.ts';

/** Generous on a slow machine; a scenario that comes here says what it waited for and what it saw. */
const patienceMs = 20_000;
const defaultRate = 200;
/** Good reads in a row after which a pod is said to read again. */
const steady = 10;

/** A pod under observation, as it was when it had started. */
interface Application {
  readonly target: ContainerRef;
  readonly dataset: string;
  readonly uid: string;
  readonly containerId: string;
  readonly restartCount: number;
}

/** How a dataset differs from the document's. */
export interface DatasetDifferences {
  readonly accessModes?: readonly string[];
  readonly behaviour?: Readonly<Record<string, unknown>>;
  /** Instead of the document's. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Directories of it that hold nothing a pod is to see. */
  readonly directories?: readonly string[];
  /** It reads through a way to the object store that can be made to fail. */
  readonly faultyStore?: true;
}

export interface ApplicationDifferences {
  readonly labelled: boolean;
  /** Of the label, instead of `true`. */
  readonly labelValue?: string;
  readonly below?: VolumeBelow;
}

/** One scenario while it runs: a namespace of its own, and the verbs that steps are made of. */
export class Trial implements AsyncDisposable {
  readonly namespace: string;
  readonly session: Session;
  readonly notes: ScenarioNotes;
  readonly #objects: Objects;
  readonly #stack = new AsyncDisposableStack();
  readonly #applications = new Map<string, Application>();
  /** Files of each dataset, by its name. */
  readonly #datasets = new Map<string, Readonly<Record<string, Uint8Array>>>();
  readonly #stores = new Map<string, FaultyStore>();
  readonly #held: AsyncDisposable[] = [];
  readonly #injected: { readonly fault: Fault; readonly target: string; readonly injected: Injected }[] = [];
  #agent: AgentOptions;
  #agentChanged = false;
  #linesBefore: number | undefined;

  readonly #rate: number;

  /** `rate`: operations a second of the probes. */
  constructor(session: Session, notes: ScenarioNotes, { rate = defaultRate } = {}) {
    this.#rate = rate;
    this.session = session;
    this.#agent = session.agent;
    this.notes = notes;
    this.namespace = `rk-${notes.id}`.slice(0, 50).replace(/-+$/, '');
    this.#objects = objectsIn(session.cluster.kubeConfig, this.namespace);
  }

  async begin(): Promise<void> {
    await this.#objects.createNamespace();
    this.#stack.defer(() => this.#release());
  }

  /** Everything that happened in this scenario so far, in order of time. */
  get history(): readonly HistoryEvent[] {
    return this.session.history.ofScenario(this.notes.id);
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
    this.#agentChanged = true;
    this.#agent = { ...this.#agent, ...change };
    await this.session.cluster.restartAgent(this.#agent);
  }

  /** Secret, Dataset and JindoRuntime of the document, over the document's files, until the Dataset is bound. */
  async createDataset(
    name: string,
    { files = documentedFiles, directories = [], faultyStore, ...options }: DatasetDifferences = {},
  ): Promise<void> {
    this.#datasets.set(name, files);
    if (faultyStore) this.#stores.set(name, this.#stack.use(await this.session.cluster.openFaultyStore()));
    const { endpoint = this.session.cluster.store.endpoint } = this.#stores.get(name) ?? {};
    const store = { ...this.session.cluster.store, endpoint };
    const directory = `${this.namespace}/${name}`;
    for (const [file, bytes] of Object.entries(files))
      await this.session.cluster.putObject(`${directory}/${file}`, bytes);
    for (const name of directories)
      await this.session.cluster.putObject(`${directory}/${name}/.keep`, Buffer.from('keep'));
    await this.#createUnlessThere(secret(store));
    for (const manifest of dataset({ name, store, directory, ...options })) await this.#objects.create(manifest);
    await this.poll({
      what: `Dataset ${name} is Bound`,
      look: () => this.#objects.datasetStatus(name),
      until: ({ phase }) => phase === 'Bound',
      say: ({ phase, message }) => `phase ${phase || '(none)'} ${message}`,
    });
  }

  async ensureDataset(name: string): Promise<void> {
    if (!this.#datasets.has(name)) await this.createDataset(name);
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
  async createApplication(name: string, claim: string, differences: ApplicationDifferences): Promise<void> {
    const { labelled, labelValue = 'true', below } = differences;
    const labels = labelled ? { [applicationLabel]: labelValue } : {};
    await this.#objects.create(application({ name, dataset: claim, labels, ...(below && { below }) }));
  }

  /** Starts the document's pod and a probe beside it, until it reads. */
  async startApplication(name: string, claim: string, differences: ApplicationDifferences): Promise<void> {
    await this.createApplication(name, claim, differences);
    await this.observe(name, claim);
  }

  /** Waits for a pod that was created, and reads in it with a probe. `expected`: files at /data, where not all of the dataset's. */
  async observe(name: string, claim: string, expected?: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const pod = await this.waitForPod(name);
    const target = { namespace: this.namespace, pod: name, container: 'demo' };
    const status = pod.status?.containerStatuses?.find((container) => container.name === target.container);
    const files = checksums(expected ?? this.#datasets.get(claim) ?? documentedFiles);
    this.#stack.use(await this.session.cluster.probe({ target, path: '/data', rate: this.#rate, files }));
    this.#applications.set(name, {
      target,
      dataset: claim,
      uid: pod.metadata?.uid ?? '',
      containerId: status?.containerID ?? '',
      restartCount: status?.restartCount ?? 0,
    });
    await this.reads(name);
    await this.snapshot('before');
  }

  /** `ls -l /data` each second in the pod, as documented. Judged by errno's text, so its language is fixed. */
  async startLoop(name: string): Promise<void> {
    const { target } = this.application(name);
    const script = 'export LC_ALL=C; while true; do ls -l /data; sleep 1; done';
    this.#stack.use(await this.session.cluster.run(target, ['bash', '-c', script], `loop in ${name}`));
    await this.happens('the loop lists the files', (event) => event.kind === 'output' && event.text.includes('myfile'));
  }

  /** Until the documented loop has shown errors and then the files. */
  async loopListsAgain(): Promise<void> {
    const since = this.lastFault;
    const says = (event: HistoryEvent, text: string) =>
      event.kind === 'output' && event.at > since && event.text.includes(text);
    await this.happens('the loop prints errors', (event) => says(event, 'Transport endpoint is not connected'));
    const failed = this.history.findLast((event) => says(event, 'Transport endpoint is not connected'))?.at ?? 0;
    await this.happens('the loop lists the files again', (event) => event.at > failed && says(event, 'myfile.txt'));
  }

  /** Starts the user's own program in the pod. */
  async run(name: string, command: readonly string[], as = command.join(' ')): Promise<RunningProgram> {
    const { target } = this.application(name);
    return this.#stack.use(await this.session.cluster.run(target, command, as));
  }

  /** Starts a program on the node. */
  async runOnNode(command: readonly string[], as: string): Promise<RunningProgram> {
    return this.#stack.use(await this.session.cluster.runOnNode(command, as));
  }

  exec(name: string, command: readonly string[]) {
    return this.session.cluster.exec(this.application(name).target, command);
  }

  /** Crashes the daemon of a dataset. `stays`: the kubelet does not start it again until `bringDaemonBack`. */
  async crash(fault: Fault, claim: string, { stays = false } = {}): Promise<void> {
    const daemon = await this.#daemonOf(claim);
    if (stays) this.#held.push(await this.session.cluster.holdRestarts(daemon));
    await this.strike(fault, claim, daemon);
  }

  /** Injects a fault; what does not heal by itself is healed by `heal`, and at the end of the scenario. */
  async strike(fault: Fault, claim: string, known?: ContainerRef): Promise<void> {
    const { cluster } = this.session;
    const daemon = known ?? (await this.#daemonOf(claim));
    // A dataset that no pod uses has no daemon.
    const used = new Set([...this.#applications.values()].map((application) => application.dataset));
    const others = [...this.#datasets.keys()].filter((name) => name !== claim && used.has(name));
    const users = [...this.#applications.values()].filter((application) => application.dataset === claim);
    const target = `${daemon.namespace}/${daemon.pod}`;
    const struck = (at: number) =>
      this.session.onEvent({ kind: 'fault', at, fault: fault.name, phase: 'injected', target });
    const injected = await fault.inject({
      cluster,
      daemon,
      otherDaemons: await Promise.all(others.map((name) => this.#daemonOf(name))),
      application: users[0]?.target ?? { namespace: this.namespace, pod: '', container: 'demo' },
      agent: this.#agent,
      store: this.#stores.get(claim),
      struck,
    });
    this.#injected.push({ fault, target, injected });
    struck(injected.at);
  }

  /** Ends the faults that do not end by themselves. */
  async heal(): Promise<void> {
    for (const { fault, target, injected } of this.#injected.splice(0).reverse()) {
      await injected[Symbol.asyncDispose]();
      if (!injected.lasts) continue;
      const at = Number(process.hrtime.bigint());
      this.session.onEvent({ kind: 'fault', at, fault: fault.name, phase: 'healed', target });
    }
  }

  async bringDaemonBack(): Promise<void> {
    for (const hold of this.#held.splice(0)) await hold[Symbol.asyncDispose]();
  }

  /** Until the probe in the pod failed with a dead mount's errno after the last fault. */
  async failsAfterCrash(name: string): Promise<void> {
    const since = this.lastFault;
    await this.happens(
      `the probe in ${name} fails`,
      (event) =>
        event.kind === 'probe' && event.probe === this.#probeOf(name) && event.at >= since && event.result !== 'ok',
    );
  }

  /** Until the probe in the pod has read ten times in a row, and listed, since the last fault, or since it began. */
  async reads(name: string): Promise<void> {
    const since = this.lastFault;
    await this.poll({
      what: `pod ${name} reads`,
      look: () => this.#operations(name, since),
      until: (all) => {
        const good = all.slice(all.findLastIndex(({ result }) => result !== 'ok') + 1);
        return good.length >= steady && good.some(({ op }) => op === 'list');
      },
      say: (all) =>
        all.length === 0
          ? 'no operation at all'
          : `the last operations: ${all
              .slice(-5)
              .map(({ op, result }) => `${op} ${result}`)
              .join(', ')}`,
    });
  }

  /** Until the daemon died and was back, and the pod has read again: after the recovery, not before the crash was felt. */
  async readsAfterRecovery(name: string): Promise<void> {
    await this.#daemonReadyAgain();
    await this.reads(name);
  }

  /** Until the daemon is back and a recovery, were there one, would have happened; the pod still fails then. */
  async staysBroken(name: string, watchMs: number): Promise<void> {
    await this.failsAfterCrash(name);
    await this.#daemonReadyAgain();
    // The last operation that was judged is a little older than now.
    await this.watchFor(watchMs + 500);
  }

  /** Until the agent's claim that the pod was recovered is in the history, with the operations that confirm or refute it. */
  async claimArrives(name: string): Promise<void> {
    const since = this.lastFault;
    const where = `${this.namespace}/${name}/`;
    const says = (event: HistoryEvent) =>
      event.kind === 'agent' &&
      event.event === 'recovered' &&
      event.at > since &&
      event.where?.startsWith(where) === true;
    await this.happens('the agent says that it recovered the pod', says);
    // Its Kubernetes event is on its way by then, and is judged by the crash that it follows.
    await this.happens(
      'the event says that the pod was recovered',
      (event) =>
        event.kind === 'event' &&
        event.reason === 'FuseRecoverSucceed' &&
        event.at > since &&
        event.object === `Pod ${this.namespace}/${name}`,
    );
    const said = this.history.find(says)?.at ?? 0;
    await this.poll({
      what: 'the probe confirms or refutes it',
      look: () => this.#operations(name, said),
      until: ({ length }) => length >= 2 * steady,
      say: ({ length }) => `${length} operations`,
    });
  }

  /** Until a Kubernetes event refuses the recovery with a reason that contains a word. */
  async refusalArrives(reason: string): Promise<void> {
    await this.happens(
      `an event whose reason contains ${reason}`,
      (event) => event.kind === 'event' && event.reason.includes(reason),
    );
  }

  /** Lets time pass while things are watched: for promises that something does not happen. */
  async watchFor(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    await this.poll({ what: 'time passes', look: () => performance.now(), until: (now) => now >= end, say: String });
  }

  application(name: string): Application {
    const found = this.#applications.get(name);
    if (!found) throw new Error(`no pod ${name} was started in this scenario`);
    return found;
  }

  /** The observed pods, where they see their datasets. */
  get consumers(): readonly (ContainerRef & { readonly path: string })[] {
    return [...this.#applications.values()].map(({ target }) => ({ ...target, path: '/data' }));
  }

  /** Moment of the last fault in nanoseconds since the run began; 0 where there was none. */
  get lastFault(): number {
    return this.history.findLast((event) => event.kind === 'fault' && event.phase === 'injected')?.at ?? 0;
  }

  /** Records what a check says; a step fails where the check does. */
  judge(...checks: readonly CheckRecord[]): void {
    this.notes.checks.push(...checks);
    const bad = checks.filter(({ verdict }) => verdict !== 'pass');
    if (bad.length > 0) throw new Error(bad.map(({ name, says }) => `${name}: ${says}`).join('\n'));
  }

  /** Takes the mount tables once more and notes how many lines they have now. */
  async countMounts(): Promise<void> {
    const after = await this.snapshot('after');
    this.notes.mountLines = { before: this.#linesBefore ?? after, after };
  }

  /** Reads in a pod with one more probe, at another path than the dataset's. */
  async probeAt(name: string, path: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const { target } = this.application(name);
    this.#stack.use(await this.session.cluster.probe({ target, path, rate: this.#rate, files: checksums(files) }));
  }

  /** Keeps something until the end of the scenario. */
  use(resource: AsyncDisposable): void {
    this.#stack.use(resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bringDaemonBack();
    await this.heal();
    await this.#stack.disposeAsync();
    if (this.#agentChanged) await this.session.cluster.restartAgent(this.session.agent);
  }

  async #release(): Promise<void> {
    const left = await this.session.cluster.release(this.namespace);
    this.session.leftovers.push(...left.map((line) => `${this.namespace}: ${line}`));
    if (left.length > 0) throw new Error(`not released: ${left.join('; ')}`);
  }

  async #createUnlessThere(manifest: Manifest): Promise<void> {
    await this.#objects.create(manifest).catch((error: { readonly code?: number }) => {
      if (error.code !== 409) throw error;
    });
  }

  waitForPod(name: string): Promise<V1Pod> {
    return this.poll({
      what: `pod ${name} is Running and ready`,
      look: () => this.#objects.readPod(name),
      until: ({ status }) =>
        status?.phase === 'Running' && (status.containerStatuses ?? []).every(({ ready }) => ready),
      say: ({ status }) => `phase ${status?.phase ?? '(none)'}`,
    });
  }

  async #daemonOf(claim: string): Promise<ContainerRef> {
    const [pod] = await this.poll({
      what: `the FUSE pod of ${claim} is Running`,
      look: () => this.#objects.listPods(`role=jindofs-fuse,release=${claim}`),
      until: (pods) => pods[0]?.status?.phase === 'Running',
      say: (pods) => `${pods.length} pods`,
    });
    return { namespace: this.namespace, pod: pod?.metadata?.name ?? '', container: 'jindofs-fuse' };
  }

  #daemonReadyAgain(): Promise<void> {
    return this.daemonReadyAfter(this.lastFault);
  }

  /** Until a daemon has become ready after a moment, in nanoseconds since the run began. */
  daemonReadyAfter(since: number): Promise<void> {
    return this.happens(
      'the daemon is ready again',
      (event) => event.kind === 'process' && event.role === 'daemon' && event.change === 'ready' && event.at > since,
    );
  }

  #probeOf(name: string): string {
    return `${this.namespace}/${name}/demo:/data`;
  }

  /** What the probe in a pod did; without stat, which the kernel may answer from what it remembers. */
  #operations(name: string, since: number) {
    return (
      this.history
        .filter((event) => event.kind === 'probe')
        .filter(({ at, op, probe }) => at >= since && op !== 'stat' && probe === this.#probeOf(name))
        // Those that were only charged for a slot that another one blocked prove nothing to the checks either.
        .filter(({ startedAt, finishedAt }) => startedAt < finishedAt)
    );
  }

  /** Until something is in the history. */
  async happens(what: string, is: (event: HistoryEvent) => boolean): Promise<void> {
    await this.poll({
      what,
      look: () => this.history,
      until: (events) => events.some(is),
      say: (events) => `${events.length} other events, the last of kind ${events.at(-1)?.kind ?? '(none)'}`,
    });
  }

  /** Until something is as wanted, within a patience that is enough on a slow machine. */
  poll<T>(options: {
    readonly what: string;
    readonly look: () => Promise<T> | T;
    readonly until: (value: T) => boolean;
    readonly say: (value: T) => string;
  }): Promise<T> {
    return poll({ ...options, timeoutMs: patienceMs, signal: this.session.signal });
  }

  /** Records the mount tables of node and pods; how many lines they have. */
  async snapshot(label: string): Promise<number> {
    const { cluster, onEvent } = this.session;
    let count = 0;
    for (const target of [undefined, ...[...this.#applications.values()].map((application) => application.target)]) {
      const lines = await cluster.mountTable(target);
      const where = target ? `${target.namespace}/${target.pod}/${target.container}` : 'node';
      onEvent({ kind: 'snapshot', at: Number(process.hrtime.bigint()), where, label, lines });
      count += lines.length;
    }
    if (label === 'before') this.#linesBefore = count;
    return count;
  }
}

/** SHA-256 of each file, in hex. */
export function checksums(files: Readonly<Record<string, Uint8Array>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).map(([file, bytes]) => [file, createHash('sha256').update(bytes).digest('hex')]),
  );
}
