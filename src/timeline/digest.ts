import type { HistoryEvent, ProbeEvent, ProbeOperation } from './record.ts';

/** An event that is kept as it is; the operations of probes become columns. */
export type KeptEvent = Exclude<HistoryEvent, ProbeEvent>;

/** The history of one scenario, as reports need it. */
export interface ScenarioDigest {
  /** In order of time. */
  readonly events: readonly KeptEvent[];
  /** One for each probe, with its operations in the order in which they were due. */
  readonly probes: readonly ProbeColumns[];
}

const nothing: ScenarioDigest = { events: [], probes: [] };

/** Collects a history event by event, so that a million operations fit in little memory. */
export class Digest {
  readonly #scenarios = new Map<string, { events: KeptEvent[]; probes: Map<string, ProbeColumns>; sorted: boolean }>();

  /** Adds an event; one that belongs to no scenario is in no report. */
  add(event: HistoryEvent): void {
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

  /** Ids of the scenarios that have events. */
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
  for (const event of history) digest.add(event);
  return digest;
}

const operations: readonly ProbeOperation[] = ['list', 'stat', 'read'];

/** The operations of a probe as columns: a million of them take 18 MB instead of several hundred. */
export class ProbeColumns {
  /** `<namespace>/<pod>/<container>:<path>`. */
  readonly probe: string;
  /** The distinct results; operations hold indexes into it. */
  readonly results: string[] = [];
  #count = 0;
  #at = new Float64Array(256);
  #took = new Float64Array(256);
  #kinds = new Uint8Array(256);
  #results = new Uint16Array(256);

  constructor(probe: string) {
    this.probe = probe;
  }

  get count(): number {
    return this.#count;
  }

  add({ at, finishedAt, op, result }: Pick<ProbeEvent, 'at' | 'finishedAt' | 'op' | 'result'>): void {
    if (this.#count === this.#at.length) this.#grow();
    let index = this.results.indexOf(result);
    if (index < 0) index = this.results.push(result) - 1;
    this.#at[this.#count] = at;
    this.#took[this.#count] = finishedAt - at;
    this.#kinds[this.#count] = operations.indexOf(op);
    this.#results[this.#count] = index;
    this.#count++;
  }

  /** The moment at which operation `i` was due, in nanoseconds since the run began. */
  at(i: number): number {
    return this.#at[i] ?? 0;
  }

  /** The time from then to its end, in nanoseconds. */
  took(i: number): number {
    return this.#took[i] ?? 0;
  }

  operation(i: number): number {
    return this.#kinds[i] ?? 0;
  }

  /** An index into `results`. */
  resultIndex(i: number): number {
    return this.#results[i] ?? 0;
  }

  result(i: number): string {
    return this.results[this.resultIndex(i)] ?? 'ok';
  }

  /** The same operations in the order in which they were due; itself if they are in that order. */
  inOrder(): ProbeColumns {
    let sorted = true;
    for (let i = 1; i < this.#count && sorted; i++) sorted = this.at(i - 1) <= this.at(i);
    if (sorted) return this;
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i).sort((a, b) => this.at(a) - this.at(b));
    const ordered = new ProbeColumns(this.probe);
    for (const i of order) {
      const at = this.at(i);
      const op = operations[this.operation(i)] ?? 'read';
      ordered.add({ at, finishedAt: at + this.took(i), op, result: this.result(i) });
    }
    return ordered;
  }

  #grow(): void {
    const length = this.#at.length * 2;
    const larger = <T extends Float64Array | Uint8Array | Uint16Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#at = larger(new Float64Array(length), this.#at);
    this.#took = larger(new Float64Array(length), this.#took);
    this.#kinds = larger(new Uint8Array(length), this.#kinds);
    this.#results = larger(new Uint16Array(length), this.#results);
  }
}
