import { describe, expect, it } from 'vitest';
import type { Decision, DeviceId, MountSite, Nanoseconds, SkipReason } from './model.ts';
import { eventsFor, logFields } from './record.ts';
import { podNamed, volumeNamed } from './testing/world.ts';

const volume = volumeNamed('default-demo', { dataset: { namespace: 'default', name: 'demo' } });
const pod = podNamed('pod-1', [{ volume: 'default-demo' }]);
const objects = { volumes: [volume], podsByUid: new Map([[pod.uid, pod]]) };
const inside: MountSite = {
  kind: 'container',
  podUid: 'pod-1',
  container: 'app',
  mountNamespace: 'mnt:[1]',
  pid: 7,
  path: '/data',
};
const onNode: MountSite = { kind: 'target', podUid: 'pod-1', path: '/var/lib/kubelet/pods/pod-1/x' };
const took = 2_500_000n as Nanoseconds;
const failure = { errno: 'EACCES', call: 'read', path: '/data/a', step: 'read-byte' };
const device = '0:50' as DeviceId;
const detail = 'because of this: change that';

const decisions: readonly Decision[] = [
  {
    event: 'noticed',
    trigger: 'daemon-exit',
    volume: volume.name,
    source: { state: 'dead', path: '/s', device, errno: 'ENOTCONN' },
  },
  { event: 'noticed', trigger: 'start', volume: volume.name, source: { state: 'absent', path: '/s' } },
  { event: 'skipped', volume, site: inside, reason: 'sub-path', detail },
  { event: 'unidentified', podUid: 'pod-1', pid: 7, detail },
  { event: 'replaced', volume, site: inside, took, layers: [1, 1] },
  { event: 'recovered', volume, site: onNode, took },
  { event: 'recovered', volume, site: inside, took },
  { event: 'failed', volume, site: inside, failure },
  {
    event: 'passed',
    trigger: 'start',
    took,
    observed: took,
    applied: took,
    verified: took,
    actions: 1,
    skips: 0,
    unhealthy: 0,
  },
];

describe('events', () => {
  it('claim success only for a read in a container', () => {
    const claims = decisions.flatMap((decision) =>
      eventsFor(decision, objects).some(({ reason }) => reason === 'FuseRecoverSucceed') ? [decision] : [],
    );
    expect(claims).toEqual([{ event: 'recovered', volume, site: inside, took }]);
  });

  it('are on the Dataset and the Pod, with path, volume, errno and remedy', () => {
    const made = eventsFor({ event: 'failed', volume, site: inside, failure }, objects);
    expect(
      made.map(({ object, type, reason, isAggregated }) => [object.kind, object.name, type, reason, isAggregated]),
    ).toEqual([
      ['Dataset', 'demo', 'Warning', 'FuseRecoverFailed', true],
      ['Pod', 'pod-1', 'Warning', 'FuseRecoverFailed', undefined],
    ]);
    expect(made[0]?.message).toBe(
      "Fuse recover /data failed: read answered EACCES at step read-byte (volume default-demo, container app of pod default/pod-1); the container's user may not read it: look at allow_other and the owners of the files",
    );
  });

  it.each<[SkipReason, MountSite, readonly string[]]>([
    ['gate-off', inside, []],
    ['locked-volume', inside, []],
    ['pod-deleting', inside, []],
    ['not-labelled', inside, ['Pod Normal FuseRecoverNotRequested']],
    ['sub-path', inside, ['Dataset Warning FuseRecoverSubPath', 'Pod Warning FuseRecoverSubPath']],
    ['source-not-live', inside, []],
    ['source-not-live', onNode, ['Pod Warning FuseRecoverWaiting']],
    ['read-write', inside, []],
    ['read-write', onNode, ['Dataset Warning FuseRecoverReadWrite', 'Pod Warning FuseRecoverReadWrite']],
  ])('for the skip reason %s', (reason, site, expected) => {
    const made = eventsFor({ event: 'skipped', volume, site, reason, detail }, objects);
    expect(made.map(({ object, type, reason: named }) => `${object.kind} ${type} ${named}`)).toEqual(expected);
    for (const { message } of made) expect(message).toContain(detail);
  });

  it('report a container that is not identified on its pod, if that has one of our volumes', () => {
    const decision = { event: 'unidentified', podUid: inside.podUid, pid: 7, detail } as const;
    const made = eventsFor(decision, objects);
    expect(made.map(({ object, type, reason }) => [object.kind, type, reason])).toEqual([
      ['Pod', 'Warning', 'FuseRecoverIdentityConflict'],
    ]);
    expect(made[0]?.message).toContain(detail);
    expect(eventsFor(decision, { ...objects, volumes: [] })).toEqual([]);
    expect(eventsFor({ ...decision, podUid: 'another' }, objects)).toEqual([]);
  });

  it('report on the Dataset that its daemon is down, but not that it has none', () => {
    const [first, second] = decisions.map((decision) => eventsFor(decision, objects));
    expect(first?.map(({ object, reason }) => [object.kind, reason])).toEqual([['Dataset', 'FuseDaemonDown']]);
    expect(second).toEqual([]);
  });

  it('are made only for known objects', () => {
    const orphan = { ...volume, dataset: undefined };
    expect(
      eventsFor({ event: 'recovered', volume: orphan, site: inside, took }, { ...objects, podsByUid: new Map() }),
    ).toEqual([]);
  });
});

describe('log lines', () => {
  it('are flat and survive JSON', () => {
    for (const decision of decisions) {
      const line = logFields(decision);
      expect(JSON.parse(JSON.stringify(line))).toEqual(line);
      expect(line.event).toBe(decision.event);
      for (const value of Object.values(line)) expect(['string', 'number', 'boolean']).toContain(typeof value);
    }
  });

  it('carry the layers of a replacement and the errno of a failure', () => {
    expect(logFields({ event: 'replaced', volume, site: inside, took, layers: [2, 1] })).toEqual({
      event: 'replaced',
      volume: 'default-demo',
      place: 'container',
      podUid: 'pod-1',
      container: 'app',
      pid: 7,
      path: '/data',
      tookNs: 2_500_000,
      layersBefore: 2,
      layersAfter: 1,
    });
    expect(logFields({ event: 'failed', volume, site: inside, failure })).toMatchObject({
      errno: 'EACCES',
      step: 'read-byte',
      call: 'read',
      path: '/data',
      failedPath: '/data/a',
    });
  });
});
