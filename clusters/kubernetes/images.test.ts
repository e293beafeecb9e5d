import { expect, test } from 'vitest';
import { CannotRun } from '../cluster.ts';
import type { Docker } from './docker.ts';
import { buildFuseClients } from './images.ts';

function dockerWith(images: readonly string[], failure?: string) {
  const built: string[] = [];
  const docker: Docker = {
    hasImage: async (reference) => images.includes(reference),
    async build({ reference, network }) {
      if (failure !== undefined) throw new CannotRun([{ what: failure, remedy: 'try again' }]);
      built.push(`${reference}${network ? ' with network' : ''}`);
    },
    pull: async () => {},
    save: async () => {},
  };
  return { docker, built };
}

test('uses an existing image, and builds a missing one', async () => {
  const there = dockerWith(['rekindle/fuse-clients:debian12']);
  expect(await buildFuseClients(there.docker)).toBe('rekindle/fuse-clients:debian12');
  expect(there.built).toEqual([]);
  const absent = dockerWith([]);
  await buildFuseClients(absent.docker);
  expect(absent.built).toEqual(['rekindle/fuse-clients:debian12 with network']);
});

test('reports an image that cannot be built, with the reason', async () => {
  const { docker } = dockerWith([], 'Docker cannot build it (no route to host)');
  await expect(buildFuseClients(docker)).rejects.toThrow(
    /^the image rekindle\/fuse-clients:debian12 with s3fs and rclone is missing, and Docker cannot build it \(no route to host\): docker load it/,
  );
  await expect(buildFuseClients(docker)).rejects.toThrow(CannotRun);
});
