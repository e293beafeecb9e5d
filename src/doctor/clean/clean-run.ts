import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroupsOfRun } from '../../../clusters/node/cgroups.ts';
import { type RunId, runIdOfTemporary } from '../../run-id.ts';
import type { ContainerRuntime } from './containers.ts';
import { detachMounts } from './mounts.ts';
import { killRun } from './processes.ts';
import { removeTree } from './remove-tree.ts';

/** The parts of this machine in which a run may have left something. */
export interface Surroundings {
  /** Folder of temporary files, absolute. */
  readonly temporary: string;
  readonly containers: ContainerRuntime;
  /** PID of the process that cleans, which is never killed. */
  readonly own: number;
  /** The user whose runs are cleaned. User 0 cleans those of all users. */
  readonly uid: number;
}

export interface CleanOutcome {
  /** A line for each removed object. */
  readonly removed: readonly string[];
  /** A line for each object that could not be removed, with the reason. */
  readonly leftovers: readonly string[];
}

/**
 * Removes everything that a run left: its processes, then mounts under its temporary directories, then those directories, then
 * its containers and cgroups. Leaves other runs alone. Idempotent. Reports failures as leftovers and does not reject.
 */
export async function cleanRun(runId: RunId, surroundings: Surroundings): Promise<CleanOutcome> {
  const processes = await killRun(runId, surroundings.own);
  const directories = temporaryDirectories(surroundings).get(runId) ?? [];
  const mounts = await detachMounts(directories);
  const removals = directories.map((directory) => ({ directory, leftovers: removeTree(directory) }));
  const containers = await removeContainers(runId, surroundings.containers);
  const groups = await removeCgroupsOfRun(runId);
  return {
    removed: [
      ...processes.removed,
      ...mounts.removed,
      ...removals.filter(({ leftovers }) => leftovers.length === 0).map(({ directory }) => `directory ${directory}`),
      ...containers.removed,
    ],
    leftovers: [
      ...processes.leftovers,
      ...mounts.leftovers,
      ...removals.flatMap(({ leftovers }) => leftovers),
      ...containers.leftovers,
      ...groups,
    ],
  };
}

/** Temporary directories, sockets and files by run. Omits those of other users, whose runs may be in progress out of our sight. */
export function temporaryDirectories({
  temporary,
  uid,
}: Pick<Surroundings, 'temporary' | 'uid'>): ReadonlyMap<RunId, readonly string[]> {
  const named = names(temporary).flatMap((name) => {
    const runId = runIdOfTemporary(name);
    const path = join(temporary, name);
    const owner = runId && lstatSync(path, { throwIfNoEntry: false })?.uid;
    return runId === undefined || (uid !== 0 && owner !== uid) ? [] : [{ runId, path }];
  });
  return new Map(
    [...Map.groupBy(named, ({ runId }) => runId)].map(([id, entries]) => [id, entries.map(({ path }) => path)]),
  );
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

async function removeContainers(runId: RunId, runtime: ContainerRuntime): Promise<CleanOutcome> {
  const outcomes = await Promise.all(
    (await runtime.list())
      .filter((container) => container.runId === runId)
      .map(async (container) => {
        const line = `container ${container.name}`;
        const failure = await runtime.remove(container).then(
          () => undefined,
          (error: Error) => `${line}: ${error.message}`,
        );
        return { line, failure };
      }),
  );
  return {
    removed: outcomes.filter(({ failure }) => failure === undefined).map(({ line }) => line),
    leftovers: outcomes.flatMap(({ failure }) => failure ?? []),
  };
}
