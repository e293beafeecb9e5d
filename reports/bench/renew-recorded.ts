/**
 * Renews `fixtures/recorded.json` from two runs of the same code: `rekindle bench --crashes 200 --out a`, again with `--out b`,
 * then `npm run renew-recorded -- a/latest b/latest`. For each phase the file has the milliseconds of each crash in order, a
 * list for each run; tests use it to show that a comparison finds two equal runs the same. Prints the verdicts of a
 * comparison of the two runs. If they are not fit for the purpose, prints why, writes nothing and exits with status 1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareBenches, findDifferences } from './compare.ts';
import { parseBench } from './parse.ts';
import { benchPhases, phaseSamples } from './phases.ts';
import type { BenchRecord } from './record.ts';

const recordedPhases = ['ready-to-readable', 'pod', 'outage'];
const minimumCrashes = 100;
const file = fileURLToPath(new URL('./fixtures/recorded.json', import.meta.url));

function read(folder: string): BenchRecord {
  return parseBench(readFileSync(join(folder, 'bench.json'), 'utf8'), folder);
}

function samples(record: BenchRecord, name: string): readonly number[] {
  const crashes = record.series.find(({ id }) => id === 'agent')?.crashes ?? [];
  const [phase] = benchPhases.filter((one) => one.name === name);
  return phase ? phaseSamples(crashes, phase).map((ms) => Number(ms.toPrecision(4))) : [];
}

/** Reasons for which two records cannot serve as a fixture. */
function problems(pair: readonly [BenchRecord, BenchRecord]): readonly string[] {
  const few = pair.flatMap((record) =>
    recordedPhases.flatMap((name) =>
      samples(record, name).length < minimumCrashes
        ? `${record.runId} has fewer than ${minimumCrashes} samples of ${name}`
        : [],
    ),
  );
  const same = pair[0].runId === pair[1].runId ? ['both folders hold the same run'] : [];
  return [...same, ...findDifferences(...pair), ...few];
}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const [first = '', second = '', ...rest] = process.argv.slice(2);
if (first === '' || second === '' || rest.length > 0) throw new Error('expected two result folders of rekindle bench');
const pair = [read(first), read(second)] as const;
const found = problems(pair);
for (const problem of found) say(`unfit: ${problem}`);
if (found.length > 0) process.exitCode = 1;
else {
  for (const { phases } of compareBenches(...pair))
    for (const { phase, verdict } of phases) say(`${phase.name}: ${verdict}`);
  const recorded = recordedPhases.map((name) => [name, pair.map((run) => samples(run, name))]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(recorded)));
  say(`${file}: now npx biome check --write reports/bench/fixtures, and npx vitest run reports/bench/compare.test.ts`);
}
