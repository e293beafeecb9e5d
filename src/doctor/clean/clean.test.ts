import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newRunId, type RunId, temporaryDirectory } from '../../run-id.ts';
import { clean, findRuns } from './clean.ts';
import type { Surroundings } from './clean-run.ts';
import type { ContainerRuntime, RunContainer } from './containers.ts';

const uid = process.geteuid?.() ?? 0;
let temporary: string;
let runId: RunId;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'rekindle-clean-'));
  runId = newRunId(new Date(), Math.random);
});

afterEach(() => rmSync(temporary, { recursive: true }));

function surroundings(containers: ContainerRuntime, user = uid): Surroundings {
  return { temporary, containers, own: process.pid, uid: user };
}

/** Docker with two containers, one of them of the run. */
function createContainers(refuse?: string): ContainerRuntime & { readonly there: RunContainer[] } {
  const other = newRunId(new Date(0), Math.random);
  const there = [
    { id: '1', name: 'store', runId },
    { id: '2', name: 'foreign', runId: other },
  ];
  return {
    there,
    list: async () => [...there],
    remove: async (container) => {
      if (refuse !== undefined) throw new Error(refuse);
      there.splice(there.indexOf(container), 1);
    },
  };
}

test('containers of the run are removed, and no others', async () => {
  const containers = createContainers();
  const { lines, leftovers } = await clean({ run: runId, dryRun: false, surroundings: surroundings(containers, 0) });
  expect(lines).toEqual([`run ${runId}: removed container store`]);
  expect(leftovers).toEqual([]);
  expect(containers.there.map(({ name }) => name)).toEqual(['foreign']);
});

test('a container that stays is listed with the reason', async () => {
  const containers = createContainers('Docker says 409');
  const { leftovers } = await clean({ run: runId, dryRun: false, surroundings: surroundings(containers, 0) });
  expect(leftovers).toEqual(['container store: Docker says 409']);
});

test('what belongs to another user is not seen, unless by user 0', async () => {
  const directory = temporaryDirectory(temporary, runId);
  mkdirSync(directory);
  const seenBy = async (user: number) => {
    const found = await findRuns(surroundings(createContainers(), user));
    return found.find((run) => run.runId === runId)?.things;
  };
  expect(await seenBy(uid + 1)).toBeUndefined();
  expect(await seenBy(0)).toEqual([`directory ${directory}`, 'container store']);
  expect(existsSync(directory)).toBe(true);
});
