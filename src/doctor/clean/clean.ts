import type { RunId } from '../../run-id.ts';
import { type CleanOutcome, cleanRun, type Surroundings } from './clean-run.ts';
import { type FoundRun, findRuns } from './find-runs.ts';

export interface CleanOptions {
  /** Clean this run only, even if it is going on. */
  readonly run?: RunId;
  /** Report what would be removed and remove nothing. */
  readonly dryRun: boolean;
  readonly surroundings: Surroundings;
}

export interface CleanReport {
  readonly lines: readonly string[];
  readonly leftovers: readonly string[];
}

/** Removes what killed runs left. Leaves a run alone whose harness is alive, unless it is named. */
export async function clean({ run, dryRun, surroundings }: CleanOptions): Promise<CleanReport> {
  const found = await findRuns(surroundings);
  const chosen = run === undefined ? found.filter(({ harness }) => harness === undefined) : [findNamed(found, run)];
  const active = run === undefined ? found.filter(({ harness }) => harness !== undefined) : [];
  const reports: CleanReport[] = [];
  for (const target of chosen)
    reports.push(dryRun ? wouldRemove(target) : report(target, await cleanRun(target.runId, surroundings)));
  const lines = reports.flatMap((report) => report.lines);
  const activeLines = active.map(
    ({ runId, harness }) =>
      `run ${runId} is going on (process ${harness}): left alone; rekindle clean --run ${runId} ends it`,
  );
  if (lines.length === 0) lines.push(run === undefined ? 'nothing to clean' : `nothing is left of run ${run}`);
  return { lines: [...lines, ...activeLines], leftovers: reports.flatMap(({ leftovers }) => leftovers) };
}

/** Returns an entry for the named run even if nothing else of it was found: its containers may be all that is left. */
function findNamed(found: readonly FoundRun[], run: RunId): FoundRun {
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
