import { parseRunId, type RunId } from '../../run-id.ts';
import { type CleanOutcome, cleanRun, type Surroundings, temporaryDirectories } from './clean-run.ts';
import { ownMountsBelow } from './mounts.ts';
import { listRunProcesses } from './processes.ts';

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

/** A run that is in progress or has left something on this machine. */
export interface FoundRun {
  readonly runId: RunId;
  /** PID of its harness if the run is in progress. */
  readonly harness: number | undefined;
  /** A line for each object, in the order of removal. */
  readonly things: readonly string[];
}

/** All runs that are in progress or have left something on this machine, oldest first. */
export async function findRuns(surroundings: Surroundings): Promise<readonly FoundRun[]> {
  const processes = listRunProcesses(surroundings.own);
  const directories = temporaryDirectories(surroundings);
  const containers = await surroundings.containers.list();
  const ids = new Set([...processes.map(({ runId }) => runId), ...directories.keys()]);
  // Docker lists containers of all users, but only user 0 sees whether such a run is in progress.
  if (surroundings.uid === 0) for (const { runId } of containers) ids.add(runId);
  return [...ids].toSorted().flatMap((id) => {
    const runId = parseRunId(id);
    if (runId === undefined) return [];
    const own = processes.filter((process) => process.runId === runId);
    const paths = directories.get(runId) ?? [];
    return {
      runId,
      harness: own.find(({ harness }) => harness)?.pid,
      things: [
        ...own.map(({ pid, command }) => `process ${pid} (${command})`),
        ...ownMountsBelow(paths).map((path) => `mount ${path}`),
        ...paths.map((path) => `directory ${path}`),
        ...containers.filter((container) => container.runId === runId).map(({ name }) => `container ${name}`),
      ],
    };
  });
}
