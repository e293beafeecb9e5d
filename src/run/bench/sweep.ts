import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../../scenario/scenario.ts';
import type { HistoryEvent } from '../../timeline/record.ts';

/** Observations of a crash by the process that reads in many pods, in absolute monotonic nanoseconds. */
export interface SweepResult {
  readonly firstError?: number;
  readonly errno?: string;
  /** Time of the first good read, by pod. */
  readonly good: Readonly<Record<string, number>>;
}

export interface SweepOptions {
  readonly scenario: Scenario;
  /** Folder of its instructions, at the same path on the node. */
  readonly folder: string;
  readonly name: string;
  /** Path of the file to read, in the containers. */
  readonly path: string;
}

/** Controls the reader of all pods of a dataset (`src/observers/sweep.ts`). */
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

  /** Resolves when it reads. Called before a crash. */
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

  /** Makes it read in other processes. */
  replace(pids: Readonly<Record<string, number>>): void {
    this.#pids = pids;
    this.#write();
  }

  get seen(): SweepResult {
    return this.#seen;
  }

  /** Whether every pod has read again. */
  get complete(): boolean {
    return this.#complete;
  }

  take(event: HistoryEvent): void {
    if (event.kind !== 'output' || event.program !== this.#name || event.stream !== 'stdout') return;
    const report = JSON.parse(event.text);
    if (report.event === 'watching') this.#watching = report.crash;
    if (report.crash !== this.#crash) return;
    if (report.event === 'failed') this.#seen = { ...this.#seen, firstError: report.ns, errno: report.errno };
    if (report.event === 'swept') {
      this.#seen = { ...this.#seen, good: report.good };
      this.#complete = true;
    }
  }

  #write(): void {
    const unfinished = `${this.#orders}.new`;
    writeFileSync(unfinished, JSON.stringify({ crash: this.#crash, pids: this.#pids }));
    renameSync(unfinished, this.#orders);
  }
}
