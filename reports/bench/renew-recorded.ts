/**
 * Renews `fixtures/recorded.ts`, by which the tests hold that a comparison calls two equal runs the same, from two runs of the same
 * code: `rekindle bench --crashes 200 --out a`, again with `--out b`, then `npm run renew-recorded -- a/latest b/latest`. Prints
 * what a comparison says of the two as they are. Status 1 where they do not have what is needed; nothing is written then.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differencesOf } from './comparable.ts';
import { compareBenches } from './compare.ts';
import { parseBench } from './parse.ts';
import { benchPhases, samplesOf } from './phases.ts';
import type { BenchRecord } from './record.ts';

const kept = ['ready-to-readable', 'pod', 'outage'];
const fewest = 100;
const file = fileURLToPath(new URL('./fixtures/recorded.ts', import.meta.url));

function read(folder: string): BenchRecord {
  return parseBench(readFileSync(join(folder, 'bench.json'), 'utf8'), folder);
}

function samples(record: BenchRecord, name: string): readonly number[] {
  const crashes = record.series.find(({ id }) => id === 'agent')?.crashes ?? [];
  const [phase] = benchPhases.filter((one) => one.name === name);
  return phase ? samplesOf(crashes, phase).map((ms) => Number(ms.toPrecision(4))) : [];
}

/** Why two records are no pair to be kept. */
function problems(pair: readonly [BenchRecord, BenchRecord]): readonly string[] {
  const few = pair.flatMap((record) =>
    kept.flatMap((name) =>
      samples(record, name).length < fewest ? `${record.runId} has fewer than ${fewest} of ${name}` : [],
    ),
  );
  const same = pair[0].runId === pair[1].runId ? ['both are the same run'] : [];
  return [...same, ...differencesOf(...pair), ...few];
}

function textOf(pair: readonly BenchRecord[]): string {
  const [{ machine, runId } = { machine: undefined, runId: '' }, other] = pair;
  const phases = kept.map(
    (name) =>
      `  ${JSON.stringify(name)}: [\n${pair.map((run) => `    [${samples(run, name).join(', ')}],`).join('\n')}\n  ],`,
  );
  return `// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: measured, and no constants
/**
 * Milliseconds that each crash took in two runs of \`rekindle bench\` of the same code, crash by crash, in the order in which they came
 * (${runId} and ${other?.runId}, Linux ${machine?.kernel}, ${machine?.cpus} CPUs). Made by \`npm run renew-recorded\`.
 */
export const recorded = {
${phases.join('\n')}
} as const satisfies Readonly<Record<string, readonly (readonly number[])[]>>;
`;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const [first = '', second = '', ...rest] = process.argv.slice(2);
if (first === '' || second === '' || rest.length > 0) throw new Error('two folders of results of rekindle bench');
const pair = [read(first), read(second)] as const;
const wrong = problems(pair);
for (const problem of wrong) say(`not a pair: ${problem}`);
if (wrong.length > 0) process.exitCode = 1;
else {
  for (const { phases } of compareBenches(...pair))
    for (const { phase, verdict } of phases) say(`${phase.name}: ${verdict}`);
  writeFileSync(file, textOf(pair));
  say(`${file}: now npx biome check --write reports/bench/fixtures, and npx vitest run reports/bench/compare.test.ts`);
}
