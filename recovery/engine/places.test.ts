import { expect, it } from 'vitest';
import type { Container } from './model.ts';
import { spotsOf } from './places.ts';
import { kubeletRoot, podNamed, volumeNamed } from './testing/world.ts';

const user = { uid: 0, gid: 0, groups: [] };
const container: Container = { podUid: 'pod-1', name: 'app', pid: 7, mountNamespace: 'mnt:[1]', user, mounts: [] };

it('goes by the pod as it is now, though its container is as it was', () => {
  const volume = volumeNamed('demo');
  const containers = [container];
  const readOnly = [false, true].map((asked) => {
    const pods = [podNamed('pod-1', [{ readOnly: asked }, { mountPath: '/other' }])];
    const spots = spotsOf({ kubeletRoot, mounts: [], containers, volumes: [volume], pods }, volume);
    return spots.find(({ site }) => site.kind === 'container' && site.path === '/data')?.volumeMount?.readOnly;
  });
  expect(readOnly).toEqual([false, true]);
});
