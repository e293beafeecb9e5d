import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { type Answer, Recorder } from '../testing/recorder.ts';
import { connectDocker } from './docker.ts';
import { loadArchived } from './load-archived.ts';

const answers: Answer = { to: 'version', stdout: '28.1\n' };

let recorder: Recorder;
beforeEach(() => {
  recorder = new Recorder(mkdtempSync(join(tmpdir(), 'rekindle-docker-')));
});
afterEach(() => rmSync(recorder.folder, { recursive: true }));

const connect = (...more: readonly Answer[]) => {
  recorder.add('docker', [answers, ...more]);
  return connectDocker({ environment: recorder.environment, signal: new AbortController().signal });
};

test('without Docker it says what to install', async () => {
  const connecting = connectDocker({ environment: recorder.environment, signal: new AbortController().signal });
  await expect(connecting).rejects.toThrow('there is no docker on the PATH: install Docker');
});

test('a daemon that does not answer is to be started', async () => {
  const stderr = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n';
  recorder.add('docker', [{ to: 'version', exitCode: 1, stderr }]);
  const connecting = connectDocker({ environment: recorder.environment, signal: new AbortController().signal });
  await expect(connecting).rejects.toThrow(/^Docker does not answer \(Cannot connect .*\): start it/);
  await expect(connecting).rejects.toThrow(CannotRun);
});

test('an image that is not there and cannot be pulled is named', async () => {
  const docker = await connect(
    { to: 'image inspect', exitCode: 1 },
    { to: 'pull', exitCode: 1, stderr: 'no route to host\n' },
  );
  expect(await docker.hasImage('nginx:stable')).toBe(false);
  await expect(docker.pull('nginx:stable')).rejects.toThrow(
    'the image nginx:stable is not there and cannot be pulled (no route to host)',
  );
});

test('an image is built without network, and a failure names it', async () => {
  const docker = await connect({ to: 'build', exitCode: 1, stderr: 'pull access denied for node\n' });
  const image = { reference: 'rekindle/harness:abc', dockerfile: '/d/Dockerfile', context: '/d' };
  await expect(docker.build(image)).rejects.toThrow('Docker cannot build rekindle/harness:abc (pull access denied');
  expect(recorder.calls).toContain(
    'docker build --quiet --network=none --tag=rekindle/harness:abc --file=/d/Dockerfile /d',
  );
});

test('a full disk is said', async () => {
  const docker = await connect({ to: 'save', exitCode: 1, stderr: 'write: no space left on device\n' });
  await expect(docker.save(['a'], '/tmp/a.tar')).rejects.toThrow('no space left on device): make room there');
});

test('only images that the nodes lack are brought, in one archive', async () => {
  const docker = await connect({ to: 'save' });
  const archives: string[] = [];
  await loadArchived({
    docker,
    references: ['nginx:stable', 'rekindle/agent:1', 'minio/minio:2', 'registry.example/a:3'],
    runId: 'run',
    present: async () => new Set(['docker.io/library/nginx:stable', 'registry.example/a:3']),
    load: async (archive) => void archives.push(archive),
  });
  expect(recorder.calls.at(-1)).toBe(`docker save --output=${archives[0]} rekindle/agent:1 minio/minio:2`);
});
