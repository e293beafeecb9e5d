import { createDaemonWatches, createHungConnections } from './daemons.ts';
import type { KnownDevices } from './identity.ts';
import { createLivenessCache } from './liveness.ts';
import { LookUps } from './look-ups.ts';
import type { DeviceId, Failure, Liveness, Nanoseconds, Policy, Trigger, Volume } from './model.ts';
import type { ClockPort, KernelPort, KubernetesPort, Recorder, VolumeLocks } from './ports.ts';
import { compareContents, createFailoverPlans } from './prepare.ts';
import { SnapshotCache } from './snapshot.ts';
import { type VolumeStatus, volumeStatus } from './status.ts';
import { createCandidate, reportDelay, triggerRules, VolumeFingerprint } from './triggers.ts';
import { startVolumePass, type VolumePassParts, type VolumePassResult } from './volume-pass.ts';
import {
  createJournal,
  createVolumeState,
  type UnhealthySite,
  type UnprovenSite,
  type VolumeState,
} from './volume-state.ts';

export interface EngineOptions {
  readonly kernel: KernelPort;
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly locks: VolumeLocks;
  /** Called by each pass, as the gate may change. Call `pass('kubernetes')` after a change. */
  readonly policy: () => Policy;
  /** The kubelet's directory as the node's mount table spells it; `/var/lib/kubelet` by default. */
  readonly kubeletRoot?: () => string;
  /** Feature gate `FuseStandby`; off by default. */
  readonly standby?: boolean;
  /** Interval of the passes that need no trigger; 5 s by default. */
  readonly resyncPeriod?: Nanoseconds;
  /** How long a connection may hang before it is aborted; never aborted by default. */
  readonly abortHungAfter?: Nanoseconds;
  /** Until when a keeper holds a connection for a daemon that is away; undefined, as by default: none does. */
  readonly keptUntil?: (device: DeviceId) => Nanoseconds | undefined;
  /** How long a daemon that has answered before may take to answer; 2 s by default. */
  readonly readDeadline?: Nanoseconds;
  /**
   * How long after a replacement the proofs and the next look at the mount table wait, so that the consumers' reads come first: a
   * new daemon answers one read at a time. 4 ms by default.
   */
  readonly proofDelay?: Nanoseconds;
  /** How long a daemon may take between its mount and its first answer; 60 s by default. */
  readonly firstReadDeadline?: Nanoseconds;
  /** How long the read of a proof may take, most of which a large directory needs to be listed; 120 s by default. */
  readonly proofTimeout?: Nanoseconds;
}

type Settings = Omit<Required<EngineOptions>, 'abortHungAfter'> & { readonly abortHungAfter: Nanoseconds | undefined };

const milliseconds = (count: number) => BigInt(count * 1_000_000) as Nanoseconds;

const defaults = {
  kubeletRoot: () => '/var/lib/kubelet',
  standby: false,
  resyncPeriod: milliseconds(5_000),
  keptUntil: () => undefined,
  readDeadline: milliseconds(2_000),
  firstReadDeadline: milliseconds(60_000),
  proofDelay: milliseconds(4),
  proofTimeout: milliseconds(120_000),
};

/** Delay of the first quick retry; it doubles with each further one. */
const firstRetryDelay = milliseconds(25);
const maxRetries = 8;

/** How long after a pass the preparation of failovers waits, so that programs that wait for their mounts come first. */
const preparationDelay = milliseconds(50);

type Volumes = ReadonlySet<string> | 'all';

/**
 * The engine: watches for changes and makes passes of `snapshot → diagnose → plan → apply → prove → record`.
 *
 * A pass takes one node snapshot and asks the sources of all volumes concurrently. Each volume proceeds as soon as its own sources
 * have answered, so one that hangs delays no other. Nothing is awaited between a volume's answers and its last mount call, so
 * no two passes ever act at the same time. A read of a volume that is already in progress serves the next pass, too.
 */
export class Engine implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #journal;
  readonly #lookUps;
  readonly #snapshots;
  readonly #volumePassParts: VolumePassParts;
  readonly #daemons;
  readonly #states = new Map<string, VolumeState>();
  readonly #watches = new DisposableStack();
  readonly #timers = new Set<Disposable>();
  readonly #requested = new Map<Trigger, Volumes>();
  /** Until when connections are kept, by volume. */
  readonly #releases = new Map<string, Nanoseconds>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;
  #isMountChangeDelayed = false;
  readonly #failoverPlans = createFailoverPlans();
  #isPreparing = false;

  constructor(options: EngineOptions) {
    const settings: Settings = { ...defaults, ...options, abortHungAfter: options.abortHungAfter };
    const { kernel, recorder, resyncPeriod } = settings;
    this.#settings = settings;
    this.#journal = createJournal(recorder);
    const liveness = createLivenessCache(settings);
    // During an outage each resync reads the containers of the volume, so that they are known when it ends.
    const containersMaxAge = (resyncPeriod * 2n) as Nanoseconds;
    this.#lookUps = new LookUps(settings);
    this.#snapshots = new SnapshotCache({
      ...settings,
      lookUps: this.#lookUps,
      containersMaxAge,
      onDevices: (devices) => liveness.retain(devices),
    });
    const hung = createHungConnections({
      ...settings,
      liveness,
      journal: this.#journal,
      isStopped: () => this.#isStopped,
      sourceMount: (path) => {
        const taken = this.#snapshots.node();
        return taken.ok ? taken.value.tree.top(path) : undefined;
      },
      schedule: (delay, callback) => this.#schedule(delay, callback),
      onAborted: (volume) => this.#request('daemon-exit', new Set([volume])),
    });
    this.#daemons = this.#watches.use(
      createDaemonWatches(kernel, (device) => {
        hung.daemonEnded(device);
        this.#request('daemon-exit', this.#volumesOn(device));
      }),
    );
    this.#volumePassParts = {
      ...settings,
      liveness,
      journal: this.#journal,
      snapshots: this.#snapshots,
      lookUps: this.#lookUps,
      isStopped: () => this.#isStopped,
      onSourceStates: ({ name }, states) => {
        hung.see(name, states);
        for (const source of states)
          if (source.state === 'kept') this.#lookWhenReleased(name, liveness.get(source.device));
      },
      // A proof may take long, and the daemon may die again meanwhile.
      onSourcesChanged: () => {
        this.#schedule(settings.proofDelay, () => this.#watchDaemons());
        this.#prepareSoon();
      },
    };
  }

  /** Watches the node and makes the first pass. Must be called once. */
  start(): void {
    const { kernel, kubernetes } = this.#settings;
    this.#watches.use(kernel.watchMounts(() => this.#onMountChange()));
    this.#watches.use(kubernetes.watch(() => this.#request('kubernetes')));
    this.#request('start');
    this.#scheduleResync();
  }

  /** Makes one pass over all volumes; resolves when its replacements have been proven, or reported as failed or unproven. */
  pass(trigger: Trigger): Promise<void> {
    return this.#track(this.#pass(trigger, 'all'));
  }

  /** Resolves when no pass is running or requested, without waiting for timers. */
  async idle(): Promise<void> {
    while (this.#running.size > 0 || this.#requested.size > 0) {
      await Promise.allSettled([...this.#running, Promise.resolve()]);
    }
  }

  /** Devices that were a volume's before a publish replaced its mount, perhaps before this agent knew of the volume. */
  remember(volume: string, devices: KnownDevices): void {
    this.#snapshots.remember(volume, devices);
  }

  /** The unhealthy sites as of the last pass, with the reason if they are left alone. */
  unhealthy(): readonly UnhealthySite[] {
    return [...this.#states.values()].flatMap(({ unhealthy }) => unhealthy);
  }

  /** The sites whose mount was replaced and whose consumer has not been seen to read since. */
  unproven(): readonly UnprovenSite[] {
    return [...this.#states.values()].flatMap(({ unproven }) => [...unproven.values()]);
  }

  /**
   * The status of each volume of the node, with containers that have started since the last pass. A few milliseconds of CPU for 250 pods.
   * Empty if the mount table cannot be read.
   */
  status(): readonly VolumeStatus[] {
    const { clock, policy } = this.#settings;
    const snapshot = this.#snapshots.scan('new');
    if (snapshot === undefined) return [];
    const { liveness } = this.#volumePassParts;
    const parts = { snapshot, liveness, policy: policy(), now: clock.now() };
    return snapshot.volumes.map((volume) => volumeStatus(parts, volume, this.#state(volume.name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Reads in progress are not awaited, as nothing acts on their answers any more.
    this.#isStopped = true;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
    this.#watches.dispose();
  }

  async #pass(trigger: Trigger, volumes: Volumes): Promise<void> {
    const { clock } = this.#settings;
    const began = clock.now();
    const rule = triggerRules[trigger];
    if (rule.scansFirst) await this.#settings.kernel.prepareContainers();
    if (this.#isStopped) return;
    const scanned = rule.scansFirst ? this.#snapshots.scan('fresh') : undefined;
    const taken = scanned === undefined ? this.#snapshots.node() : { ok: true as const, value: scanned };
    if (!taken.ok) return this.#recordFailedPass(trigger, began, taken.failure);
    const snapshot = taken.value;
    this.#forgetOthers(snapshot.volumes);
    this.#prepareSoon();

    const examined = snapshot.volumes
      .filter(({ name }) => volumes === 'all' || volumes.has(name))
      .map((volume) => createCandidate(new VolumeFingerprint(snapshot, volume), this.#state(volume.name)))
      .filter(rule.examines);
    const passes = examined.flatMap((candidate) => {
      const pass = startVolumePass(this.#volumePassParts, snapshot, candidate, trigger);
      return pass === undefined ? [] : [{ pass, candidate }];
    });
    if (passes.length === 0 && !rule.reportsIdlePass) return;

    // The containers are scanned while the sources are being asked.
    const scope = rule.scan({ now: clock.now(), snapshots: this.#snapshots, examined });
    if (scope === 'fresh') await this.#settings.kernel.prepareContainers();
    if (this.#isStopped) return;
    const containersBefore = this.#snapshots.containers;
    let hasScanned = scope === undefined;
    const scanContainers = () => {
      if (!hasScanned && scope !== undefined) this.#snapshots.scan(scope);
      hasScanned = true;
    };
    if (!rule.reportsBeforeScan) scanContainers();
    const maySkip = rule.skipsUnchanged === true && this.#snapshots.containers === containersBefore;
    const results = await Promise.all(
      passes.map(async ({ pass, candidate }) => {
        const result = await pass.finish({ maySkip, scanContainers });
        if (result !== undefined && !this.#isStopped) this.#followUp(candidate, result);
        return result ?? [];
      }),
    );
    if (this.#isStopped) return;
    this.#recordPass(trigger, began, results.flat());
    // For the next pass, which then need not wait for them.
    const lookUps = examined.flatMap(({ fingerprint }) => snapshot.lookUpsFor(fingerprint.volume));
    void this.#track(this.#lookUps.ask(this.#lookUps.open(lookUps)));
  }

  #followUp(
    { fingerprint, state }: { readonly fingerprint: VolumeFingerprint; readonly state: VolumeState },
    { replaced, needsRetry }: VolumePassResult,
  ): void {
    const volumes = new Set([fingerprint.volume.name]);
    this.#watchDaemons();
    this.#prepareSoon();
    if (replaced.length > 0) this.#request('confirm', volumes);
    if (state.isHoldingReports) {
      this.#schedule(reportDelay, () => state.isHoldingReports && this.#request('resync', volumes));
    }
    state.retries = needsRetry ? state.retries + 1 : 0;
    if (needsRetry && state.retries <= maxRetries) {
      this.#schedule(firstRetryDelay << BigInt(state.retries - 1), () => this.#request('mount-table', volumes));
    }
  }

  /** Looks at a volume again when the keeper will have let its connection go, which nothing else shows. */
  #lookWhenReleased(volume: string, answer: Liveness | undefined): void {
    if (answer?.status !== 'kept' || this.#releases.get(volume) === answer.until) return;
    this.#releases.set(volume, answer.until);
    this.#schedule(answer.until - this.#settings.clock.now(), () => this.#request('resync', new Set([volume])));
  }

  #watchDaemons(): void {
    const sources = [...this.#states.values()].flatMap((state) => state.sources);
    const served = sources.flatMap((each) => (each.state === 'live' || each.state === 'hung' ? [each.device] : []));
    this.#daemons.watchOnly(new Set(served));
  }

  /** Prepares the failovers of all volumes, and drops what is held for others, in several turns if there is much. */
  #prepareSoon(): void {
    if (!this.#settings.standby || this.#isPreparing) return;
    this.#isPreparing = true;
    this.#schedule(preparationDelay, () => {
      this.#isPreparing = false;
      const taken = this.#snapshots.node();
      const { kernel, recorder, clock, policy, proofTimeout } = this.#settings;
      const wanted = taken.ok ? this.#failoverPlans(taken.value, this.#states, policy()) : [];
      if (!kernel.prepare(wanted)) this.#prepareSoon();
      if (!taken.ok) return;
      const deadline = (clock.now() + proofTimeout) as Nanoseconds;
      for (const volume of taken.value.volumes) {
        const state = this.#state(volume.name);
        const report: Recorder = (decision) => this.#isStopped || recorder(decision);
        void compareContents({ kernel, recorder: report, deadline }, taken.value, { volume, state });
      }
    });
  }

  /** Requests a pass. All requests within one turn of the event loop make one pass for each trigger. */
  #request(trigger: Trigger, volumes: Volumes = 'all'): void {
    if (this.#isStopped) return;
    if (this.#requested.size === 0) queueMicrotask(() => this.#runRequested());
    const before = this.#requested.get(trigger) ?? new Set<string>();
    this.#requested.set(trigger, volumes === 'all' || before === 'all' ? 'all' : before.union(volumes));
  }

  #runRequested(): void {
    const requested = [...this.#requested];
    this.#requested.clear();
    for (const [trigger, volumes] of requested) void this.#track(this.#pass(trigger, volumes));
  }

  #track(pass: Promise<void>): Promise<void> {
    this.#running.add(pass);
    return pass.finally(() => this.#running.delete(pass));
  }

  /**
   * Right after a replacement a change is usually the engine's own. It is looked at only after `proofDelay`, to leave the
   * processors to the consumers, unless a volume still waits for recovery.
   */
  #onMountChange(): void {
    if (this.#isMountChangeDelayed) return;
    const { clock, proofDelay } = this.#settings;
    const now = clock.now();
    const states = [...this.#states.values()];
    const actedAt = latest(states.map((state) => state.actedAt ?? (0n as Nanoseconds)));
    if (now - actedAt >= proofDelay || states.some(isWaiting)) {
      this.#request('mount-table');
      return;
    }
    this.#isMountChangeDelayed = true;
    this.#schedule(actedAt + proofDelay - now, () => {
      this.#isMountChangeDelayed = false;
      this.#request('mount-table');
    });
  }

  #schedule(delay: bigint, callback: () => void): void {
    if (this.#isStopped) return;
    const timer = this.#settings.clock.after(delay as Nanoseconds, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  #scheduleResync(): void {
    this.#schedule(this.#settings.resyncPeriod, () => {
      this.#request('resync');
      this.#scheduleResync();
    });
  }

  #recordPass(trigger: Trigger, began: Nanoseconds, results: readonly VolumePassResult[]): void {
    const { clock, recorder } = this.#settings;
    const count = (field: 'actions' | 'skips') => results.reduce((total, each) => total + each[field], 0);
    recorder({
      event: 'passed',
      trigger,
      took: (clock.now() - began) as Nanoseconds,
      observed: (latest([began, ...results.map((each) => each.began)]) - began) as Nanoseconds,
      applied: results.reduce((total, each) => total + each.applied, 0n) as Nanoseconds,
      verified: latest(results.map((each) => each.verified)),
      actions: count('actions'),
      skips: count('skips'),
      unhealthy: this.unhealthy().length,
    });
  }

  #recordFailedPass(trigger: Trigger, began: Nanoseconds, failure: Failure): void {
    const { clock, recorder } = this.#settings;
    const took = (clock.now() - began) as Nanoseconds;
    const none = 0n as Nanoseconds;
    const counts = { actions: 0, skips: 0, unhealthy: this.unhealthy().length };
    recorder({ event: 'passed', trigger, took, observed: took, applied: none, verified: none, ...counts, failure });
  }

  #state(volume: string): VolumeState {
    const state = this.#states.get(volume) ?? createVolumeState();
    this.#states.set(volume, state);
    return state;
  }

  #forgetOthers(volumes: readonly Volume[]): void {
    const names = new Set(volumes.map(({ name }) => name));
    for (const name of this.#states.keys()) {
      if (names.has(name)) continue;
      this.#states.delete(name);
      this.#releases.delete(name);
      this.#journal.forget(name);
    }
  }

  #volumesOn(device: DeviceId): ReadonlySet<string> {
    const states = [...this.#states].filter(([, { sources }]) =>
      sources.some((each) => each.state !== 'absent' && each.device === device),
    );
    return new Set(states.map(([name]) => name));
  }
}

/** Whether a volume waits for its recovery or for one of its sources. */
function isWaiting({ unhealthy, sources }: VolumeState): boolean {
  return unhealthy.length > 0 || sources.some(({ state }) => state !== 'live');
}

/** The largest of some times or durations, as `Math.max` does not take bigints. */
function latest(times: readonly Nanoseconds[]): Nanoseconds {
  let max = 0n as Nanoseconds;
  for (const time of times) if (time > max) max = time;
  return max;
}
