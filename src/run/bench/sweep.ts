import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../../scenario/scenario.ts';
import type { HistoryEvent } from '../../timeline/record.ts';

/** What one process that reads in many pods saw of a crash; absolute monotonic nanoseconds. */
export interface Swept {
  readonly firstError?: number;
  readonly errno?: string;
  /** First good read of each pod that has had one. */
  readonly good: Readonly<Record<string, number>>;
}

export interface SweepOptions {
  readonly scenario: Scenario;
  /** Where its orders lie; on the node it is at the same path. */
  readonly folder: string;
  readonly name: string;
  /** Of the file that is read, in the containers. */
  readonly path: string;
}

/** One reader for all pods of a dataset (`src/sweep`), as the benchmark tells it. */
export class Sweep {
  readonly #name: string;
  readonly #orders: string;
  #crash = 0;
  #pids: Readonly<Record<string, number>> = {};
  #watching = 0;
  #seen: { firstError?: number; errno?: string; good: Record<string, number> } = { good: {} };
  #complete = false;

  private constructor({ folder, name }: SweepOptions) {
    this.#name = name;
    this.#orders = join(folder, `${name.replaceAll('/', '-')}.json`);
  }

  static async start(options: SweepOptions): Promise<Sweep> {
    const sweep = new Sweep(options);
    sweep.#write();
    await options.scenario.runProgram({ program: 'sweep', args: [sweep.#orders, options.path], name: options.name });
    return sweep;
  }

  /** Resolves when it reads: before the crash, so that it meets it. */
  async begin(scenario: Scenario, pids: Readonly<Record<string, number>>): Promise<void> {
    this.#crash++;
    this.#seen = { good: {} };
    this.#complete = false;
    this.replace(pids);
    await scenario.eventually({
      condition: `${this.#name} reads`,
      read: () => this.#watching,
      until: (crash) => crash === this.#crash,
      format: (crash) => `crash ${crash}`,
    });
  }

  /** Other processes that took the pods' place. */
  replace(pids: Readonly<Record<string, number>>): void {
    this.#pids = pids;
    this.#write();
  }

  get seen(): Swept {
    return this.#seen;
  }

  /** Every pod has read again. */
  get complete(): boolean {
    return this.#complete;
  }

  take(event: HistoryEvent): void {
    if (event.kind !== 'output' || event.program !== this.#name || event.stream !== 'stdout') return;
    const said = JSON.parse(event.text);
    if (said.event === 'watching') this.#watching = said.crash;
    if (said.crash !== this.#crash) return;
    if (said.event === 'failed') this.#seen = { ...this.#seen, firstError: said.ns, errno: said.errno };
    if (said.event === 'swept') {
      this.#seen = { ...this.#seen, good: said.good };
      this.#complete = true;
    }
  }

  #write(): void {
    const unfinished = `${this.#orders}.new`;
    writeFileSync(unfinished, JSON.stringify({ crash: this.#crash, pids: this.#pids }));
    renameSync(unfinished, this.#orders);
  }
}
