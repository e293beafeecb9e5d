import { ProbeColumns } from './probe-columns.ts';
import type { HistoryEvent, ProbeEvent } from './record.ts';

/** An event that is kept as it is; a probe's operations are kept as columns. */
export type KeptEvent = Exclude<HistoryEvent, ProbeEvent>;

/** What the reports need of one scenario's history. */
export interface ScenarioDigest {
  /** In order of time. */
  readonly events: readonly KeptEvent[];
  /** One for each probe, operations in the order in which they were due. */
  readonly probes: readonly ProbeColumns[];
}

const nothing: ScenarioDigest = { events: [], probes: [] };

/** A history that is taken event by event and never held whole, so that a million operations fit in little memory. */
export class Digest {
  readonly #scenarios = new Map<string, { events: KeptEvent[]; probes: Map<string, ProbeColumns>; sorted: boolean }>();

  /** What belongs to no scenario is in no report. */
  take(event: HistoryEvent): void {
    if (event.scenario === undefined) return;
    let known = this.#scenarios.get(event.scenario);
    if (known === undefined) {
      known = { events: [], probes: new Map(), sorted: false };
      this.#scenarios.set(event.scenario, known);
    }
    known.sorted = false;
    if (event.kind !== 'probe') {
      known.events.push(event);
      return;
    }
    let columns = known.probes.get(event.probe);
    if (columns === undefined) {
      columns = new ProbeColumns(event.probe);
      known.probes.set(event.probe, columns);
    }
    columns.add(event);
  }

  /** Ids of the scenarios during which something happened. */
  get scenarios(): Iterable<string> {
    return this.#scenarios.keys();
  }

  of(scenario: string): ScenarioDigest {
    const known = this.#scenarios.get(scenario);
    if (known === undefined) return nothing;
    if (!known.sorted) {
      known.events.sort((a, b) => a.at - b.at);
      for (const [probe, columns] of known.probes) known.probes.set(probe, columns.inOrder());
      known.sorted = true;
    }
    return { events: known.events, probes: [...known.probes.values()] };
  }
}

export function digestOf(history: Iterable<HistoryEvent>): Digest {
  const digest = new Digest();
  for (const event of history) digest.take(event);
  return digest;
}
