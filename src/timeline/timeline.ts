import { type Consumer, probeName } from './consumer.ts';
import { observe, type ProbeObservation } from './crashes.ts';
import { groupBy } from './group-by.ts';
import type { EventOf, HistoryEvent, Recovery } from './record.ts';
import { findRecoveries } from './recoveries.ts';
import { findSuccessClaims, type SuccessClaim } from './success-claims.ts';

/** The events of one scenario in order of time, and what follows from them. Each derivation is made once, when it is first used. */
export class Timeline {
  readonly events: readonly HistoryEvent[];
  #byKind: Map<HistoryEvent['kind'], HistoryEvent[]> | undefined;
  #operations: Map<string, EventOf<'probe'>[]> | undefined;
  #recoveries: readonly Recovery[] | undefined;
  readonly #observations = new Map<string, ProbeObservation>();
  readonly #claims = new Map<string, readonly SuccessClaim[]>();

  constructor(events: readonly HistoryEvent[]) {
    this.events = events.toSorted((a, b) => a.at - b.at);
  }

  static ofScenario(events: readonly HistoryEvent[], scenario: string): Timeline {
    return new Timeline(events.filter((event) => event.scenario === scenario));
  }

  ofKind<Kind extends HistoryEvent['kind']>(kind: Kind): readonly EventOf<Kind>[] {
    this.#byKind ??= groupBy(this.events, (event) => event.kind);
    return (this.#byKind.get(kind) ?? []) as HistoryEvent[] as EventOf<Kind>[];
  }

  /** The last moment of which anything is known. */
  get end(): number {
    const lastProbe = this.ofKind('probe').reduce((last, { finishedAt }) => Math.max(last, finishedAt), 0);
    return Math.max(lastProbe, this.events.at(-1)?.at ?? 0);
  }

  /** Injections of faults. */
  get injections(): readonly EventOf<'fault'>[] {
    return this.ofKind('fault').filter(({ phase }) => phase === 'injected');
  }

  /** What happened to FUSE daemons. */
  get daemons(): readonly EventOf<'process'>[] {
    return this.ofKind('process').filter(({ role }) => role === 'daemon');
  }

  get addedMounts(): readonly EventOf<'mount'>[] {
    return this.ofKind('mount').filter(({ change }) => change === 'added');
  }

  /** Mount tables of the node (`node`) or of a container. */
  mountTables(where: string): readonly EventOf<'snapshot'>[] {
    return this.ofKind('snapshot').filter((table) => table.where === where);
  }

  /** Operations by the name of the probe, in the order in which they were due. */
  get operations(): ReadonlyMap<string, readonly EventOf<'probe'>[]> {
    this.#operations ??= groupBy(this.ofKind('probe'), ({ probe }) => probe);
    return this.#operations;
  }

  /** What the probe of a consumer observed. */
  observe(consumer: Consumer): ProbeObservation {
    return this.observeProbe(probeName(consumer));
  }

  observeProbe(probe: string): ProbeObservation {
    let known = this.#observations.get(probe);
    if (known === undefined) {
      known = observe(this, probe, this.injections);
      this.#observations.set(probe, known);
    }
    return known;
  }

  /** Claims that a consumer was recovered, in order of time. */
  successClaims(consumer: Consumer): readonly SuccessClaim[] {
    const name = probeName(consumer);
    let known = this.#claims.get(name);
    if (known === undefined) {
      known = findSuccessClaims(this, consumer);
      this.#claims.set(name, known);
    }
    return known;
  }

  /** What came of each crash, for each probe, in order of the crashes. */
  get recoveries(): readonly Recovery[] {
    this.#recoveries ??= findRecoveries(this);
    return this.#recoveries;
  }
}
