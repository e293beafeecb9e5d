import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord, ScenarioRecord } from '../../src/timeline/record.ts';
import { sampleRecord, sampleScenario } from '../../src/timeline/sample.ts';
import { plots } from '../../src/timeline/sample-plots.ts';

export interface LargeRun {
  readonly scenarios: number;
  /** Probe operations of each scenario. */
  readonly operations: number;
  /** Operations a second. */
  readonly rate: number;
  readonly machine: RunRecord['machine'];
}

/** Writes `record.json` and `history.ndjson` of a large synthetic run. Equal options give equal files. */
export function writeLargeRun(folder: string, { scenarios, operations, rate, machine }: LargeRun): void {
  const crashing = plots.filter(({ away }) => away !== undefined);
  const written: ScenarioRecord[] = [];
  const file = openSync(join(folder, 'history.ndjson'), 'w');
  let clock = 9e8;
  for (let i = 0; i < scenarios; i++) {
    const plot = crashing[i % crashing.length];
    if (plot === undefined) continue;
    const { scenario, events } = sampleScenario({ plot, id: `${plot.id}-${i + 1}`, from: clock, rate, operations });
    writeSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    written.push({ ...scenario, name: `${scenario.name} (${i + 1})` });
    clock = scenario.finishedAt + 1e8;
  }
  closeSync(file);
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...sampleRecord(written, clock), machine }));
}
