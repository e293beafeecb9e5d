import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { connectDocker } from './docker.ts';
import { loadImages } from './images.ts';
import { type CannedReply, FakePrograms } from './testing/fake-programs.ts';

const answers: CannedReply = { to: 'version', stdout: '28.1\n' };

let fakes: FakePrograms;
beforeEach(() => {
  fakes = new FakePrograms('rekindle-docker');
});
afterEach(() => rmSync(fakes.folder, { recursive: true }));

const connect = (...more: readonly CannedReply[]) => {
  fakes.add('docker', [answers, ...more]);
  return connectDocker({ environment: fakes.environment, signal: new AbortController().signal });
};

test('names Docker if it is not installed', async () => {
  const connecting = connectDocker({ environment: fakes.environment, signal: new AbortController().signal });
  await expect(connecting).rejects.toThrow('there is no docker on the PATH: install Docker');
});

test('suggests to start a daemon that does not answer', async () => {
  const stderr = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n';
  fakes.add('docker', [{ to: 'version', exitCode: 1, stderr }]);
  const connecting = connectDocker({ environment: fakes.environment, signal: new AbortController().signal });
  await expect(connecting).rejects.toThrow(/^Docker does not answer \(Cannot connect .*\): start it/);
  await expect(connecting).rejects.toThrow(CannotRun);
});

test('an image that is missing and cannot be pulled is named', async () => {
  const docker = await connect(
    { to: 'image inspect', exitCode: 1 },
    { to: 'pull', exitCode: 1, stderr: 'no route to host\n' },
  );
  expect(await docker.hasImage('nginx:stable')).toBe(false);
  await expect(docker.pull('nginx:stable')).rejects.toThrow(
    'the image nginx:stable is missing and cannot be pulled (no route to host)',
  );
});

test('builds without network, and names the image that cannot be built', async () => {
  const docker = await connect({ to: 'build', exitCode: 1, stderr: 'pull access denied for node\n' });
  const image = { reference: 'rekindle/harness:abc', dockerfile: '/d/Dockerfile', context: '/d' };
  await expect(docker.build(image)).rejects.toThrow('Docker cannot build rekindle/harness:abc (pull access denied');
  expect(fakes.calls).toContain(
    'docker build --quiet --network=none --tag=rekindle/harness:abc --file=/d/Dockerfile /d',
  );
});

test('reports a full disk', async () => {
  const docker = await connect({ to: 'save', exitCode: 1, stderr: 'write: no space left on device\n' });
  await expect(docker.save(['a'], '/tmp/a.tar')).rejects.toThrow('no space left on device): free disk space there');
});

test('loads only the images that the nodes lack, in one archive', async () => {
  const docker = await connect({ to: 'save' });
  const archives: string[] = [];
  await loadImages({
    docker,
    references: ['nginx:stable', 'rekindle/agent:1', 'minio/minio:2', 'registry.example/a:3'],
    runId: 'run',
    present: async () => new Set(['docker.io/library/nginx:stable', 'registry.example/a:3']),
    load: async (archive) => void archives.push(archive),
  });
  expect(fakes.calls.at(-1)).toBe(`docker save --output=${archives[0]} rekindle/agent:1 minio/minio:2`);
});
