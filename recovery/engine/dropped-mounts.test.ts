import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';
import type { DeviceId, OtherMount } from './model.ts';
import { plan } from './plan.ts';
import { containerOf, dead, live, tableOf, viewWith } from './testing/views.ts';
import { kubeletRoot, openPolicy, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

const tmpfs = '0:60' as DeviceId;
const disk = '8:1' as DeviceId;
/** The diagnosis of the container's mount, dead and with nothing below it any more, and what is planned for it. */
function seen(others: readonly OtherMount[], host: readonly Parameters<typeof tableOf>[0][number][] = []) {
  const pod = podNamed('p1', [{}]);
  const withOthers = { ...pod, containers: pod.containers.map((container) => ({ ...container, others })) };
  const source = { mountPoint: sourcePath('demo'), device: live };
  const view = viewWith({
    mounts: tableOf([source, ...host]),
    volumes: [volumeNamed('demo')],
    pods: [withOthers],
    containers: [containerOf('p1', tableOf([{ mountPoint: '/data', device: dead }]))],
  });
  const diagnoses = diagnose(view).filter(({ site }) => site.kind === 'container');
  return { diagnosis: diagnoses[0], step: plan(view, diagnoses, openPolicy)[0] };
}

const other = (mountPath: string, directory?: string): OtherMount => ({
  mountPath,
  readOnly: false,
  ...(directory === undefined ? {} : { directory }),
});

describe('a mount that the kernel has dropped from inside a dead one', () => {
  it('is taken from where the node has it mounted', () => {
    const mountPoint = `${kubeletRoot}/pods/p1/volumes/kubernetes.io~empty-dir/cache`;
    const { diagnosis } = seen(
      [other('/data/cache', 'volumes/kubernetes.io~empty-dir/cache')],
      [{ mountPoint, device: tmpfs, fstype: 'tmpfs', options: ['rw'] }],
    );
    expect(diagnosis?.below).toMatchObject([{ mountPoint: '/data/cache', device: tmpfs, root: '/', options: ['rw'] }]);
    expect(diagnosis?.below[0]?.parentId).toBe(diagnosis?.stack.at(-1)?.id);
  });

  it('is taken as a directory of the node’s disk where it is no mount there', () => {
    const { diagnosis, step } = seen([other('/data/cache/', 'volumes/kubernetes.io~empty-dir/cache')]);
    const root = `${kubeletRoot}/pods/p1/volumes/kubernetes.io~empty-dir/cache`;
    expect(diagnosis?.below).toMatchObject([{ mountPoint: '/data/cache', device: disk, root }]);
    expect(step?.kind).toBe('replace');
  });

  it('stands inside another one where the spec says so', () => {
    const { diagnosis } = seen([other('/data/a/b', 'volumes/x/b'), other('/data/a', 'volumes/x/a')]);
    const [outer, inner] = diagnosis?.below ?? [];
    expect([outer?.mountPoint, inner?.mountPoint]).toEqual(['/data/a', '/data/a/b']);
    expect(inner?.parentId).toBe(outer?.id);
  });

  it('is a reason to leave all as it is where nobody knows what it was', () => {
    const { diagnosis, step } = seen([other('/data/cache')]);
    expect(diagnosis?.lost).toEqual(['/data/cache']);
    expect(step).toMatchObject({ kind: 'skip', reason: 'inner-mount-unreachable' });
  });

  it('is never looked for behind a daemon', () => {
    const { diagnosis } = seen(
      [other('/data/cache', 'volumes/kubernetes.io~csi/x/mount')],
      [{ mountPoint: `${kubeletRoot}/pods/p1/volumes/kubernetes.io~csi/x`, device: '0:70' as DeviceId }],
    );
    expect(diagnosis?.lost).toEqual(['/data/cache']);
  });

  it('beside the dataset is nobody’s concern', () => {
    expect(seen([other('/database')]).diagnosis).toMatchObject({ below: [] });
    expect(seen([other('/database')]).step?.kind).toBe('replace');
  });
});
