import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseBench } from '../../../reports/bench/parse.ts';
import type { BenchRecord } from '../../../reports/bench/record.ts';
import type { Environment } from '../../environment.ts';
import { parseRecord, UnreadableRun } from '../../timeline/parse.ts';
import { BadFile } from '../../yaml-file.ts';
import { type CheckedFigure, checkBench, checkLoop, checkText } from './check.ts';

export interface CheckedRuns {
  /** Folders of results, or `bench.json` files. */
  readonly results: readonly string[];
  readonly seed: number;
  readonly environment: Environment;
}

/** Predicts what these runs measured, and prints both side by side. @throws BadFile */
export function runCheck({ results, seed, environment }: CheckedRuns): void {
  const figures = results.flatMap((given) => {
    const { bench, loops } = readResults(given, environment.cwd);
    return [...(bench ? checkBench(bench, seed) : []), ...loops];
  });
  if (figures.length === 0)
    throw new BadFile(results.join(' '), [
      {
        says: 'nothing to predict: accepted are runs of bench with --vary pods=1,10,100, and of conform with --tags @L5',
      },
    ]);
  environment.stderr.write(
    `… each number of pods is predicted from the others of its run, each crash of a loop from the others; seed ${seed}\n`,
  );
  for (const line of checkText(figures)) environment.stdout.write(`${line}\n`);
}

interface CheckedRun {
  readonly bench?: BenchRecord;
  readonly loops: readonly CheckedFigure[];
}

function readResults(given: string, cwd: string): CheckedRun {
  const path = resolve(cwd, given);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const [bench, record] = isFolder ? [join(path, 'bench.json'), join(path, 'record.json')] : [path, ''];
  if (!existsSync(bench) && !existsSync(record))
    throw new BadFile(given, [
      { says: 'no results: accepted are the folder of a run of bench or conform, and a bench.json' },
    ]);
  try {
    return {
      ...(existsSync(bench) && { bench: parseBench(readFileSync(bench, 'utf8'), given) }),
      loops: existsSync(record) ? loopsIn(record) : [],
    };
  } catch (error) {
    if (!(error instanceof UnreadableRun)) throw error;
    throw new BadFile(given, [{ says: error.problems.join('; ') }], { cause: error });
  }
}

function loopsIn(file: string): readonly CheckedFigure[] {
  const { scenarios, fidelity } = parseRecord(readFileSync(file, 'utf8'));
  return scenarios.flatMap(({ backoff = [] }) => checkLoop(backoff, fidelity.clockScale));
}
