import { parseRunId, type RunId } from '../../run-id.ts';
import { type Surroundings, temporaryDirectories } from './clean-run.ts';
import { ownMountsBelow } from './mounts.ts';
import { listRunProcesses } from './processes.ts';

/** A run of which something is there, and what. */
export interface FoundRun {
  readonly runId: RunId;
  /** PID of its harness where that lives: the run is going on. */
  readonly harness: number | undefined;
  /** One line for each thing, in the order in which it would be removed. */
  readonly things: readonly string[];
}

/** All runs that have left anything here, or are going on, oldest first. */
export async function findRuns(surroundings: Surroundings): Promise<readonly FoundRun[]> {
  const processes = listRunProcesses(surroundings.own);
  const directories = temporaryDirectories(surroundings);
  const containers = await surroundings.containers.list();
  const ids = new Set([...processes.map(({ runId }) => runId), ...directories.keys()]);
  // Docker shows containers of all users, and only user 0 would see that such a run goes on.
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
