import type { RunId } from '../../run-id.ts';
import { type CleanOutcome, cleanRun, type Surroundings } from './clean-run.ts';
import { type FoundRun, findRuns } from './find-runs.ts';

export interface CleanOptions {
  /** Clean this run only, even if it is going on. */
  readonly run?: RunId;
  /** Say what would be removed and remove nothing. */
  readonly dryRun: boolean;
  readonly surroundings: Surroundings;
}

export interface CleanReport {
  readonly lines: readonly string[];
  readonly leftovers: readonly string[];
}

/** Removes what killed runs left, run by run. A run whose harness lives is left alone unless it is named. */
export async function clean({ run, dryRun, surroundings }: CleanOptions): Promise<CleanReport> {
  const found = await findRuns(surroundings);
  const chosen = run === undefined ? found.filter(({ harness }) => harness === undefined) : [findOne(found, run)];
  const spared = run === undefined ? found.filter(({ harness }) => harness !== undefined) : [];
  const reports: CleanReport[] = [];
  for (const one of chosen)
    reports.push(dryRun ? wouldRemove(one) : report(one, await cleanRun(one.runId, surroundings)));
  const lines = reports.flatMap((report) => report.lines);
  const sparedLines = spared.map(
    ({ runId, harness }) =>
      `run ${runId} is going on (process ${harness}): left alone; rekindle clean --run ${runId} ends it`,
  );
  if (lines.length === 0) lines.push(run === undefined ? 'nothing to clean' : `nothing is left of run ${run}`);
  return { lines: [...lines, ...sparedLines], leftovers: reports.flatMap(({ leftovers }) => leftovers) };
}

/** A run that is named is looked for even where nothing of it shows: its containers may be all that is left. */
function findOne(found: readonly FoundRun[], run: RunId): FoundRun {
  return found.find(({ runId }) => runId === run) ?? { runId: run, harness: undefined, things: [] };
}

function wouldRemove({ runId, things }: FoundRun): CleanReport {
  return { lines: things.map((thing) => `run ${runId}: would remove ${thing}`), leftovers: [] };
}

function report({ runId }: FoundRun, { removed, leftovers }: CleanOutcome): CleanReport {
  return {
    lines: [
      ...removed.map((thing) => `run ${runId}: removed ${thing}`),
      ...leftovers.map((thing) => `run ${runId}: could not remove ${thing}`),
    ],
    leftovers,
  };
}
