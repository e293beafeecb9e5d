import { parseRunId, type RunId } from '../../run-id.ts';
import { type Surroundings, temporaryDirectories } from './clean-run.ts';
import { ownMountsBelow } from './mounts.ts';
import { listRunProcesses } from './processes.ts';

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
