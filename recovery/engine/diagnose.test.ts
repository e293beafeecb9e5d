import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';
import type { DeviceId, Liveness, Nanoseconds, SiteState, SourceState } from './model.ts';
import { targetPath } from './mount-sites.ts';
import { containerOf, dead, disconnected, live, observationWith, tableOf } from './testing/observations.ts';
import { kubeletRoot, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

const target = (uid: string, volume = 'demo') => targetPath(kubeletRoot, uid, volume);
const demo = volumeNamed('demo');
const other = '0:60' as DeviceId;
const path = sourcePath('demo');
const hung: Liveness = { status: 'hung', since: 0n as Nanoseconds };
const aborted: Liveness = { status: 'dead', errno: 'ECONNABORTED' };

describe('the state of a site', () => {
  const alive: SourceState = { state: 'live', path, device: live };
  const gone: SourceState = { state: 'dead', path, device: dead, errno: 'ENOTCONN' };
  it.each<[SiteState, string, readonly DeviceId[], SourceState, ReadonlyMap<DeviceId, Liveness>]>([
    ['healthy', 'the live source on top', [live], alive, new Map()],
    ['healthy', 'the live source on top of a dead one', [dead, live], alive, new Map([[dead, disconnected]])],
    ['orphaned', 'a dead mount and a live source', [dead], alive, new Map([[dead, disconnected]])],
    ['orphaned', 'a hung mount and a live source', [dead], alive, new Map([[dead, hung]])],
    ['half-done', 'the live source directly beneath a dead top', [live, dead], alive, new Map([[dead, disconnected]])],
    ['orphaned', 'the live source two layers down', [live, dead, dead], alive, new Map([[dead, disconnected]])],
    [
      'healthy',
      'another filesystem that answers above the live source',
      [live, other],
      alive,
      new Map([[other, { status: 'live' }]]),
    ],
    ['dead', 'a dead mount and a dead source', [dead], gone, new Map()],
    ['dead', 'an earlier dead mount and a dead source', [other], gone, new Map([[other, aborted]])],
    ['hung', 'the hung source', [dead], { state: 'hung', path, device: dead }, new Map()],
    [
      'healthy',
      'a mount that answers, whose source was unmounted',
      [other],
      { state: 'absent', path },
      new Map([[other, { status: 'live' }]]),
    ],
    ['gone', 'nothing', [], alive, new Map()],
  ])('is %s with %s', (state, _, stack, source, liveness) => {
    const mounts = tableOf([
      { mountPoint: path, device: source.state === 'live' ? live : dead },
      ...stack.map((device) => ({ mountPoint: target('pod-1'), device })),
    ]);
    const observation = observationWith({
      mounts,
      volumes: [demo],
      pods: [podNamed('pod-1', [{}])],
      sources: new Map([['demo', [source]]]),
      liveness,
    });
    expect(diagnose(observation)).toMatchObject([{ state, site: { kind: 'target', path: target('pod-1') } }]);
  });

  it('ignores a filesystem that is not FUSE', () => {
    const mounts = tableOf([
      { mountPoint: path, device: live },
      { mountPoint: target('pod-1'), device: dead },
      { mountPoint: target('pod-1'), device: '0:70' as DeviceId, fstype: 'tmpfs' },
    ]);
    expect(diagnose(observationWith({ mounts, volumes: [demo] }))).toMatchObject([{ state: 'healthy' }]);
  });
});

describe('the sites of a volume', () => {
  it('are target paths matched as a whole', () => {
    const lookalikes = [
      `/host${target('pod-1')}`,
      `${target('pod-1')}/mount`,
      `${kubeletRoot}/pods/pod-1/volumes/kubernetes.io~csi/demo-2/mount`,
      `${kubeletRoot}/pods/pod-1/volumes/kubernetes.io~nfs/demo/mount`,
      `${kubeletRoot}/pods/pod-1/volume-subpaths/demo/app/0`,
      `${kubeletRoot}/plugins/kubernetes.io~csi/demo/mount`,
    ];
    const mounts = tableOf([
      { mountPoint: path, device: live },
      ...lookalikes.map((mountPoint) => ({ mountPoint, device: dead })),
      { mountPoint: target('pod-2'), device: dead },
    ]);
    expect(diagnose(observationWith({ mounts, volumes: [demo] })).map(({ site }) => site.path)).toEqual([
      target('pod-2'),
    ]);
  });

  it('are kept apart if namespace and dataset names are ambiguous', () => {
    // Fluid gives the PersistentVolumes of a-b/c and a/b-c the same name; here only their own names differ.
    const one = volumeNamed('a-b-c', { sources: ['/runtime-mnt/jindo/a-b/c/jindofs-fuse'] });
    const two = volumeNamed('a-b-c-2', { sources: ['/runtime-mnt/jindo/a/b-c/jindofs-fuse'] });
    const mounts = tableOf([
      { mountPoint: one.sources[0] ?? '', device: live },
      { mountPoint: two.sources[0] ?? '', device: other },
      { mountPoint: target('pod-1', 'a-b-c'), device: live },
      { mountPoint: target('pod-1', 'a-b-c-2'), device: dead },
    ]);
    const sources = new Map<string, SourceState[]>([
      ['a-b-c', [{ state: 'live', path: one.sources[0] ?? '', device: live }]],
      ['a-b-c-2', [{ state: 'live', path: two.sources[0] ?? '', device: other }]],
    ]);
    const found = diagnose(observationWith({ mounts, volumes: [one, two], sources }));
    expect(found.map(({ volume, state }) => [volume.name, state])).toEqual([
      ['a-b-c', 'healthy'],
      ['a-b-c-2', 'orphaned'],
    ]);
  });

  it('include every mount of a container, with subPath too, but no container of an unknown pod', () => {
    const pod = podNamed('pod-1', [{}, { mountPath: '/again/' }, { mountPath: '/sub', subPath: 'sub' }]);
    const inside = tableOf([
      { mountPoint: '/data', device: dead },
      { mountPoint: '/again', device: dead },
      { mountPoint: '/sub', device: dead, root: '/sub' },
      { mountPoint: '/not-ours', device: dead },
    ]);
    const observation = observationWith({
      mounts: tableOf([{ mountPoint: path, device: live }]),
      volumes: [demo],
      pods: [pod],
      containers: [containerOf('pod-1', inside), containerOf('pod-9', inside)],
    });
    const found = diagnose(observation).filter(({ site }) => site.kind === 'container');
    expect(found.map(({ site, volumeMount, state }) => [site.path, volumeMount?.subPath, state])).toEqual([
      ['/again', undefined, 'orphaned'],
      ['/data', undefined, 'orphaned'],
      ['/sub', 'sub', 'orphaned'],
    ]);
  });

  it('include a mount that a symbolic link of the image led elsewhere, identified by its device', () => {
    const observation = observationWith({
      mounts: tableOf([
        { mountPoint: path, device: live },
        { mountPoint: target('pod-1'), device: dead },
      ]),
      volumes: [demo],
      pods: [podNamed('pod-1', [{ mountPath: '/var/run/data' }])],
      containers: [containerOf('pod-1', tableOf([{ mountPoint: '/run/data', device: dead }]))],
    });
    expect(diagnose(observation).at(-1)).toMatchObject({ state: 'orphaned', site: { path: '/run/data' } });
  });

  it.each([
    ['if several mounts have its device', [{ mountPath: '/var/run/data' }], ['/run/data', '/mnt/data'], 'unfound'],
    [
      'if the spec says what else is mounted there',
      [{ mountPath: '/var/run/data' }, { volume: 'other', mountPath: '/other' }],
      ['/other'],
      'gone',
    ],
  ])('exclude a mount that a symbolic link might have led elsewhere, %s', (_, declared, mountPoints, state) => {
    const observation = observationWith({
      mounts: tableOf([
        { mountPoint: path, device: live },
        { mountPoint: target('pod-1'), device: dead },
      ]),
      volumes: [demo],
      pods: [podNamed('pod-1', declared)],
      containers: [containerOf('pod-1', tableOf(mountPoints.map((mountPoint) => ({ mountPoint, device: dead }))))],
    });
    expect(diagnose(observation).at(-1)).toMatchObject({ state, site: { path: '/var/run/data' } });
  });

  it("exclude a container's mount of a device that is not the volume's", () => {
    const observation = observationWith({
      mounts: tableOf([{ mountPoint: path, device: live }]),
      volumes: [demo],
      pods: [podNamed('pod-1', [{}])],
      containers: [
        containerOf(
          'pod-1',
          tableOf([{ mountPoint: '/sshfs', device: other, fstype: 'fuse.sshfs', mountSource: 'me@host:' }]),
        ),
      ],
    });
    expect(diagnose(observation).at(-1)).toMatchObject({ state: 'gone', site: { path: '/data' } });
  });

  it('include the visible mounts below them and, if half done, those on the layer beneath', () => {
    const layers = (top: DeviceId) => [
      { mountPoint: path, device: live },
      { mountPoint: target('pod-1'), device: live },
      { mountPoint: `${target('pod-1')}/cache`, device: '0:80' as DeviceId },
      { mountPoint: target('pod-1'), device: top },
      { mountPoint: `${target('pod-1')}/cache`, device: '0:81' as DeviceId },
      { mountPoint: `${target('pod-1')}/cache/x`, device: '0:82' as DeviceId },
    ];
    const below = (top: DeviceId) =>
      diagnose(observationWith({ mounts: tableOf(layers(top)), volumes: [demo] }))[0]?.below.map(
        ({ device }) => device,
      );
    expect(below(live)).toEqual(['0:81', '0:82']);
    expect(below(dead)).toEqual(['0:80', '0:81', '0:82']);
  });
});
