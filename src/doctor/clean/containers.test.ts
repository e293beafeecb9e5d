import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakePrograms } from '../../../clusters/kubernetes/testing/fake-programs.ts';
import { docker, parseContainers } from './containers.ts';

const run = 'rekindle-20261122-134501-k3f9';

test('finds the nodes of clusters named after a run, but no other containers', () => {
  const listed = [
    `a1\tof-kind\t${run}\t`,
    `b2\tof-minikube\t\t${run}`,
    `c3\tkept\trekindle-kept-20261122-134501-k3f9\t`,
    'd4\tof-somebody\trekindle-dev\t',
    'e5\twithout-labels\t\t',
  ];
  const runId = '20261122-134501-k3f9';
  expect(parseContainers(listed.join('\n'))).toEqual([
    { id: 'a1', name: 'of-kind', runId },
    { id: 'b2', name: 'of-minikube', runId },
  ]);
});

let fakes: FakePrograms;
beforeEach(() => {
  fakes = new FakePrograms('rekindle-docker');
});
afterEach(() => rmSync(fakes.folder, { recursive: true }));

test('lists containers of runs, and removes them by force', async () => {
  fakes.add('docker', [
    { to: 'ps --all', stdout: `abc\tnode\t${run}\t\n` },
    { to: 'rm --force --volumes abc' },
    { to: 'rm --force --volumes gone', exitCode: 1, stderr: 'Error response from daemon: No such container: gone\n' },
    { to: 'rm --force --volumes busy', exitCode: 1, stderr: 'Error response from daemon: removal is in progress\n' },
  ]);
  const runtime = docker(fakes.environment);
  const [found] = await runtime.list();
  expect(found).toEqual({ id: 'abc', name: 'node', runId: '20261122-134501-k3f9' });
  if (found === undefined) return;
  await runtime.remove(found);
  await runtime.remove({ ...found, id: 'gone' });
  await expect(runtime.remove({ ...found, id: 'busy' })).rejects.toThrow('removal is in progress');
});

test('treats a Docker that does not answer, and a missing one, as one without containers', async () => {
  expect(await docker(fakes.environment).list()).toEqual([]);
  fakes.add('docker', [{ to: 'ps', exitCode: 1, stderr: 'Cannot connect to the Docker daemon\n' }]);
  expect(await docker(fakes.environment).list()).toEqual([]);
});
