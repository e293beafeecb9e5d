import { createAnswers } from './answers.ts';
import { createDaemonWatches } from './daemon-watches.ts';
import { createHangs } from './hangs.ts';
import { createJournal } from './journal.ts';
import { createLooks } from './looks.ts';
import { createMemory, type Memory, type Unwell } from './memory.ts';
import type { DeviceId, Failure, Nanoseconds, Trigger, Volume } from './model.ts';
import { isAstrayAnywhere, type Look, type Sight, sightOf } from './observe.ts';
import { type EngineOptions, outageHold, retryAfter, scanPeriod, settingsOf, settleFor } from './settings.ts';
import { beginWalk, type Walked, type WalkParts } from './walk.ts';

export type { EngineOptions } from './settings.ts';

export interface Engine extends AsyncDisposable {
  /** Watches the node and makes the first pass. Called once. */
  start(): void;
  /** One pass over all volumes; resolves when what it did has been verified. */
  pass(trigger: Trigger): Promise<void>;
  /** Resolves when no pass is under way and none has been asked for; timers are not waited for. */
  idle(): Promise<void>;
  /** Places that are not well as of the last pass, with the reason where one is left alone: for gauges and conditions. */
  unhealthy(): readonly Unwell[];
}

/**
 * The engine: hears of changes and makes passes of `observe → diagnose → plan → apply → verify → record`.
 *
 * A pass takes the tables once and asks the sources of all volumes side by side. Each volume goes on as soon as its own have
 * answered, so one that hangs delays no other. From a volume's answers to its last mount nothing waits, so no two passes
 * ever act at once. A read of a volume that was already under way serves the next pass too.
 */
export function createEngine(options: EngineOptions): Engine {
  const settings = settingsOf(options);
  const { kernel, kubernetes, clock, recorder, kubeletRoot } = settings;
  const { readDeadline: deadline, firstReadDeadline: firstDeadline } = settings;
  const journal = createJournal(recorder);
  const answers = createAnswers({ kernel, clock, deadline, firstDeadline });
  // A resync looks at the containers of a volume that is not well, so that in an outage they are known when it ends.
  const containersAge = (settings.resyncPeriod * 2n) as Nanoseconds;
  const looks = createLooks({ kernel, kubernetes, clock, kubeletRoot, answers, containersAge });
  const memories = new Map<string, Memory>();
  const watching = new DisposableStack();
  const timers = new Set<Disposable>();
  const asked = new Map<Trigger, ReadonlySet<string> | 'all'>();
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  let hasHeldChange = false;

  const daemons = watching.use(createDaemonWatches(kernel, (device) => poke('daemon-exit', volumesOf(device))));
  const aborted = (volume: string) => poke('daemon-exit', new Set([volume]));
  const hangs = createHangs({ ...settings, answers, journal, later, aborted });
  const walking: WalkParts = {
    ...settings,
    journal,
    answers,
    looks,
    isStopped: () => stopped,
    onStates: ({ name }, states) => hangs(name, states),
  };

  return {
    start() {
      watching.use(kernel.watchMounts(mountsChanged));
      watching.use(kubernetes.watch(() => poke('kubernetes')));
      poke('start');
      resyncLater();
    },
    pass: (trigger) => tracked(pass(trigger, 'all')),
    async idle() {
      while (underWay.size > 0 || asked.size > 0) await Promise.allSettled([...underWay, Promise.resolve()]);
    },
    unhealthy,
    async [Symbol.asyncDispose]() {
      // Reads that are under way are not waited for: nothing acts on their answers any more.
      stopped = true;
      for (const timer of timers) timer[Symbol.dispose]();
      timers.clear();
      watching.dispose();
    },
  };

  function unhealthy(): readonly Unwell[] {
    return [...memories.values()].flatMap((memory) => memory.unwell);
  }

  /** Asks for a pass. All that comes within one turn of the event loop makes one pass for each kind of trigger. */
  function poke(trigger: Trigger, volumes: ReadonlySet<string> | 'all' = 'all'): void {
    if (stopped) return;
    if (asked.size === 0) queueMicrotask(flush);
    const before = asked.get(trigger) ?? new Set<string>();
    asked.set(trigger, volumes === 'all' || before === 'all' ? 'all' : before.union(volumes));
  }

  /** After a replacement the change is the engine's own as a rule, and the processors belong to whoever waited for it: unless others wait still. */
  function mountsChanged(): void {
    if (hasHeldChange) return;
    const now = clock.now();
    const acted = longest([...memories.values()].map(({ actedAt = 0n as Nanoseconds }) => actedAt));
    if (now - acted >= settings.proofPause || [...memories.values()].some(isWaiting)) {
      poke('mount-table');
      return;
    }
    hasHeldChange = true;
    later(acted + settings.proofPause - now, () => {
      hasHeldChange = false;
      poke('mount-table');
    });
  }

  function flush(): void {
    const due = [...asked];
    asked.clear();
    for (const [trigger, volumes] of due) void tracked(pass(trigger, volumes));
  }

  function tracked(running: Promise<void>): Promise<void> {
    underWay.add(running);
    return running.finally(() => underWay.delete(running));
  }

  function later(delay: bigint, callback: () => void): void {
    if (stopped) return;
    const timer = clock.after(delay as Nanoseconds, () => {
      timers.delete(timer);
      callback();
    });
    timers.add(timer);
  }

  function resyncLater(): void {
    later(settings.resyncPeriod, () => {
      poke('resync');
      resyncLater();
    });
  }

  async function pass(trigger: Trigger, only: ReadonlySet<string> | 'all'): Promise<void> {
    if (stopped) return;
    const began = clock.now();
    const fresh = trigger === 'confirm' ? looks.scan('fresh') : undefined;
    const seen = fresh === undefined ? looks.node() : { ok: true as const, value: fresh };
    if (!seen.ok) return blind(trigger, began, seen.failure);
    const tables = seen.value;
    forgetOthers(tables.volumes);
    const concerned = tables.volumes
      .filter(({ name }) => only === 'all' || only.has(name))
      .map((volume) => ({ sight: sightOf(tables, volume), memory: memoryOf(volume.name) }))
      .filter(({ sight, memory }) => concerns(trigger, tables, sight, memory));
    const walks = concerned.flatMap(({ sight, memory }) => {
      const walk = beginWalk(walking, tables, sight, memory);
      return walk === undefined ? [] : [{ walk, memory, name: sight.volume.name }];
    });
    if (walks.length === 0 && trigger !== 'start' && trigger !== 'resync') return;

    const scan = scanFor(trigger, concerned);
    let hasLooked = false;
    let mayBeQuiet = scan === 'none';
    const lookInside = () => {
      if (hasLooked) return;
      hasLooked = true;
      if (scan !== 'new' && scan !== 'fresh') return;
      const before = looks.containers();
      looks.scan(scan);
      if (trigger === 'resync' && looks.containers() === before) mayBeQuiet = true;
    };
    // The reads are on their way; the containers are looked at meanwhile. After a crash there is time for that later, but
    // the crash is to be told of at once.
    if (trigger !== 'daemon-exit') lookInside();
    const walked = await Promise.all(
      walks.map(async ({ walk, memory, name }) => {
        const result = await walk.finish({ trigger, mayBeQuiet, lookInside });
        if (result !== undefined && !stopped) followUp(name, memory, result);
        return result ?? [];
      }),
    );
    if (!stopped) passed(trigger, began, walked.flat());
  }

  /** Whether a trigger asks for reads of a volume. Takes note of how the volume looks now. */
  function concerns(trigger: Trigger, tables: Look, sight: Sight, memory: Memory): boolean {
    const isNew = memory.sourceSignature === undefined;
    const hasSourceMoved = memory.sourceSignature !== sight.sourceSignature;
    memory.sourceSignature = sight.sourceSignature;
    switch (trigger) {
      case 'start':
      case 'resync':
      case 'daemon-exit':
        return true;
      case 'confirm':
        return memory.unverified.size > 0 || isAstrayAnywhere(tables, sight.volume);
      case 'kubernetes':
        return isNew || memory.unwell.length > 0 || sight.targets().astray;
      case 'mount-table': {
        if (isNew || hasSourceMoved || memory.retries > 0) return true;
        const { signature, astray } = sight.targets();
        const hasMoved = memory.targetSignature !== signature;
        memory.targetSignature = signature;
        return hasMoved && astray;
      }
    }
  }

  /** How closely the containers are looked at: a scan of all processes costs milliseconds, each table a fraction of one. */
  function scanFor(
    trigger: Trigger,
    concerned: readonly { readonly sight: Sight; readonly memory: Memory }[],
  ): 'none' | 'recent' | 'new' | 'fresh' {
    const now = clock.now();
    switch (trigger) {
      case 'start':
        return 'fresh';
      // While the daemon is down there is time to find out who uses it, and when it is back there is none.
      case 'daemon-exit':
        return 'new';
      // A daemon that unmounts before it ends is gone from the table by the time that its exit is heard of.
      case 'mount-table': {
        const isNews = concerned.length > 0 && concerned.every(({ sight }) => isUnserved(sight));
        return isNews && now - looks.at() >= outageHold ? 'new' : 'recent';
      }
      case 'kubernetes':
      // Its own look was a fresh one already.
      case 'confirm':
        return 'recent';
      case 'resync': {
        const scanned = looks.scannedAt();
        if (scanned === undefined || now - scanned >= scanPeriod) return 'fresh';
        const isSettling = concerned.some(
          ({ memory: { actedAt } }) => actedAt !== undefined && now - actedAt < settleFor,
        );
        return isSettling || concerned.some(({ memory }) => memory.unwell.length > 0) ? 'new' : 'none';
      }
    }
  }

  function followUp(name: string, memory: Memory, { replaced, again }: Walked): void {
    const sources = [...memories.values()].flatMap((each) => each.sources);
    const devices = sources.flatMap((each) => (each.state === 'live' || each.state === 'hung' ? [each.device] : []));
    daemons.only(new Set(devices));
    if (replaced > 0) poke('confirm', new Set([name]));
    if (memory.holds) later(outageHold, () => memory.holds && poke('resync', new Set([name])));
    memory.retries = again ? memory.retries + 1 : 0;
    if (again && memory.retries <= 8)
      later(retryAfter << BigInt(memory.retries - 1), () => poke('mount-table', new Set([name])));
  }

  function passed(trigger: Trigger, began: Nanoseconds, walked: readonly Walked[]): void {
    const sum = (of: (each: Walked) => number) => walked.reduce((total, each) => total + of(each), 0);
    const acted = longest([began, ...walked.map((each) => each.began)]);
    recorder({
      event: 'passed',
      trigger,
      took: (clock.now() - began) as Nanoseconds,
      observed: (acted - began) as Nanoseconds,
      applied: walked.reduce((total, each) => total + each.applied, 0n) as Nanoseconds,
      verified: longest(walked.map((each) => each.verified)),
      actions: sum(({ actions }) => actions),
      skips: sum(({ skips }) => skips),
      unhealthy: unhealthy().length,
    });
  }

  function blind(trigger: Trigger, began: Nanoseconds, failure: Failure): void {
    const took = (clock.now() - began) as Nanoseconds;
    const none = 0n as Nanoseconds;
    const counts = { actions: 0, skips: 0, unhealthy: unhealthy().length };
    recorder({ event: 'passed', trigger, took, observed: took, applied: none, verified: none, ...counts, failure });
  }

  function memoryOf(volume: string): Memory {
    const known = memories.get(volume) ?? createMemory();
    memories.set(volume, known);
    return known;
  }

  function forgetOthers(volumes: readonly Volume[]): void {
    const names = new Set(volumes.map(({ name }) => name));
    for (const name of memories.keys()) {
      if (names.has(name)) continue;
      memories.delete(name);
      journal.forget(name);
    }
  }

  function volumesOf(device: DeviceId): ReadonlySet<string> {
    return new Set(
      [...memories]
        .filter(([, { sources }]) => sources.some((each) => each.state !== 'absent' && each.device === device))
        .map(([name]) => name),
    );
  }
}

const isWaiting = ({ unwell, sources }: Memory) => unwell.length > 0 || sources.some(({ state }) => state !== 'live');

const isUnserved = ({ sources }: Sight) => sources.every(({ mount }) => mount === undefined);

/** `Math.max` has no bigint. */
function longest(times: readonly Nanoseconds[]): Nanoseconds {
  let most = 0n as Nanoseconds;
  for (const time of times) if (time > most) most = time;
  return most;
}
