import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';
import type { DeviceId, OtherMount } from './model.ts';
import { plan } from './plan.ts';
import { containerOf, dead, live, observationWith, tableOf } from './testing/observations.ts';
import { kubeletRoot, openPolicy, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

const tmpfs = '0:60' as DeviceId;
const disk = '8:1' as DeviceId;
/** Diagnosis and plan for a dead container mount that has nothing mounted below it any more. */
function diagnoseAndPlan(others: readonly OtherMount[], host: readonly Parameters<typeof tableOf>[0][number][] = []) {
  const pod = podNamed('p1', [{}]);
  const withOthers = { ...pod, containers: pod.containers.map((container) => ({ ...container, others })) };
  const source = { mountPoint: sourcePath('demo'), device: live };
  const observation = observationWith({
    mounts: tableOf([source, ...host]),
    volumes: [volumeNamed('demo')],
    pods: [withOthers],
    containers: [containerOf('p1', tableOf([{ mountPoint: '/data', device: dead }]))],
  });
  const diagnoses = diagnose(observation).filter(({ site }) => site.kind === 'container');
  return { diagnosis: diagnoses[0], step: plan(observation, diagnoses, openPolicy)[0] };
}

const other = (mountPath: string, directory?: string): OtherMount => ({
  mountPath,
  readOnly: false,
  ...(directory === undefined ? {} : { directory }),
});

describe('a mount that the kernel has dropped from inside a dead one', () => {
  it('is cloned from its mount on the node', () => {
    const mountPoint = `${kubeletRoot}/pods/p1/volumes/kubernetes.io~empty-dir/cache`;
    const { diagnosis } = diagnoseAndPlan(
      [other('/data/cache', 'volumes/kubernetes.io~empty-dir/cache')],
      [{ mountPoint, device: tmpfs, fstype: 'tmpfs', options: ['rw'] }],
    );
    expect(diagnosis?.below).toMatchObject([{ mountPoint: '/data/cache', device: tmpfs, root: '/', options: ['rw'] }]);
    expect(diagnosis?.below[0]?.parentId).toBe(diagnosis?.stack.at(-1)?.id);
  });

  it('is a directory of the node’s disk if it is no mount there', () => {
    const { diagnosis, step } = diagnoseAndPlan([other('/data/cache/', 'volumes/kubernetes.io~empty-dir/cache')]);
    const root = `${kubeletRoot}/pods/p1/volumes/kubernetes.io~empty-dir/cache`;
    expect(diagnosis?.below).toMatchObject([{ mountPoint: '/data/cache', device: disk, root }]);
    expect(step?.kind).toBe('replace');
  });

  it('is nested in another one if the spec says so', () => {
    const { diagnosis } = diagnoseAndPlan([other('/data/a/b', 'volumes/x/b'), other('/data/a', 'volumes/x/a')]);
    const [outer, inner] = diagnosis?.below ?? [];
    expect([outer?.mountPoint, inner?.mountPoint]).toEqual(['/data/a', '/data/a/b']);
    expect(inner?.parentId).toBe(outer?.id);
  });

  it('prevents a replacement if its content is unknown', () => {
    const { diagnosis, step } = diagnoseAndPlan([other('/data/cache')]);
    expect(diagnosis?.lost).toEqual(['/data/cache']);
    expect(step).toMatchObject({ kind: 'skip', reason: 'inner-mount-unreachable' });
  });

  it('is never looked up through a FUSE daemon', () => {
    const { diagnosis } = diagnoseAndPlan(
      [other('/data/cache', 'volumes/kubernetes.io~csi/x/mount')],
      [{ mountPoint: `${kubeletRoot}/pods/p1/volumes/kubernetes.io~csi/x`, device: '0:70' as DeviceId }],
    );
    expect(diagnosis?.lost).toEqual(['/data/cache']);
  });

  it('is ignored outside of the dataset’s mount', () => {
    expect(diagnoseAndPlan([other('/database')]).diagnosis).toMatchObject({ below: [] });
    expect(diagnoseAndPlan([other('/database')]).step?.kind).toBe('replace');
  });
});
