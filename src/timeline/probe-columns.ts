import type { ProbeEvent, ProbeOperation } from './record.ts';

const operations: readonly ProbeOperation[] = ['list', 'stat', 'read'];

/** A probe's operations as columns: a million of them take 18 MB instead of several hundred. */
export class ProbeColumns {
  /** `<namespace>/<pod>/<container>:<path>`. */
  readonly probe: string;
  /** Results that occurred; operations hold an index into it. */
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

  /** When operation `i` was due, in nanoseconds since the run began. */
  at(i: number): number {
    return this.#at[i] ?? 0;
  }

  /** How long after that it was done, in nanoseconds. */
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

  /** The same operations in the order in which they were due; itself where that is the order already. */
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
