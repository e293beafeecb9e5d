import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';
import type { AccessMode, DeviceId, Liveness, Nanoseconds, Policy, SourceState, Step, Volume } from './model.ts';
import { targetPath } from './mount-sites.ts';
import { plan } from './plan.ts';
import { isReadOnly, recoveryLabel } from './policy.ts';
import {
  containerOf,
  dead,
  disconnected,
  hung,
  live,
  type ObservationFacts,
  observationWith,
  tableOf,
} from './testing/observations.ts';
import { kubeletRoot, openPolicy, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

const target = (uid: string, volume = 'demo') => targetPath(kubeletRoot, uid, volume);

/** Nodes with two volumes and three pods, with everything that a policy distinguishes. */
const nodeFacts: fc.Arbitrary<ObservationFacts> = fc
  .record({
    modes: fc.array(
      fc.uniqueArray(fc.constantFrom<AccessMode>('ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce'), { maxLength: 2 }),
      { minLength: 2, maxLength: 2 },
    ),
    states: fc.array(fc.constantFrom('live', 'dead', 'hung', 'absent'), { minLength: 2, maxLength: 2 }),
    pods: fc.array(
      fc.record({
        volume: fc.constantFrom('demo', 'more'),
        label: fc.constantFrom('true', 'false', undefined),
        deleting: fc.boolean(),
        subPath: fc.option(fc.constant('sub'), { nil: undefined }),
        runtimeClass: fc.constantFrom('kata', 'runc', undefined),
        onNode: fc.array(fc.constantFrom(dead, live, hung), { maxLength: 3 }),
        inside: fc.array(fc.constantFrom(dead, live, hung), { maxLength: 3 }),
        below: fc.constantFrom('/data', '/outer/data'),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ modes, states, pods }) => {
    const volumes = ['demo', 'more'].map((name, at) => volumeNamed(name, { accessModes: modes[at] ?? [] }));
    const sources = new Map(
      volumes.map(({ name }, at) => [name, [sourceState(name, states[at] ?? 'absent')]] as const),
    );
    const mounts = volumes.flatMap(({ name }) => {
      const state = sources.get(name)?.[0];
      return state === undefined || state.state === 'absent' ? [] : [{ mountPoint: state.path, device: state.device }];
    });
    const made = pods.map(({ volume, label, deleting, subPath, runtimeClass, below }, at) =>
      podNamed(`pod-${at}`, [{ volume, mountPath: below, ...(subPath === undefined ? {} : { subPath }) }], {
        labels: label === undefined ? {} : { [recoveryLabel]: label },
        deleting,
        ...(runtimeClass === undefined ? {} : { runtimeClass }),
      }),
    );
    const targets = pods.flatMap(({ volume, onNode }, at) =>
      onNode.map((device) => ({ mountPoint: target(`pod-${at}`, volume), device })),
    );
    const containers = pods.map(({ inside, below }, at) => {
      const outer = below === '/data' ? [] : [{ mountPoint: '/outer', device: '0:90' as DeviceId }];
      const layers = inside.map((device) => ({ mountPoint: below, device }));
      return containerOf(`pod-${at}`, tableOf([...outer, ...layers]), { pid: 100 + at });
    });
    const liveness = new Map<DeviceId, Liveness>([
      [dead, disconnected],
      [hung, { status: 'hung', since: 0n as Nanoseconds }],
    ]);
    return { mounts: tableOf([...mounts, ...targets]), volumes, pods: made, containers, sources, liveness };
  });
const nodes = nodeFacts.map(observationWith);

function sourceState(name: string, state: string): SourceState {
  const path = sourcePath(name);
  switch (state) {
    case 'live':
      return { state, path, device: live };
    case 'dead':
      return { state, path, device: dead, errno: 'ENOTCONN' };
    case 'hung':
      return { state, path, device: hung };
    default:
      return { state: 'absent', path };
  }
}

const policies: fc.Arbitrary<Policy> = fc.record({
  enabled: fc.boolean(),
  readWriteScope: fc.constantFrom('volume', 'cluster', 'recover'),
  subPath: fc.constantFrom('refuse', 'recover'),
  pods: fc.constantFrom('label', 'all'),
  unsupportedRuntimes: fc.constant(['kata']),
});

const actions = (steps: readonly Step[]) => steps.filter((step) => step.kind !== 'skip');

describe('a plan', () => {
  it('is equal for equal observations, whatever the order of the diagnoses', () => {
    fc.assert(
      fc.property(nodeFacts, policies, fc.infiniteStream(fc.nat()), (facts, policy, random) => {
        const observation = observationWith(facts);
        const diagnoses = [...diagnose(observation)];
        const once = plan(observation, diagnoses, policy);
        const shuffled = diagnoses
          .map((diagnosis) => ({ diagnosis, rank: random.next().value ?? 0 }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ diagnosis }) => diagnosis);
        expect(plan(observation, shuffled, policy)).toEqual(once);
        const copy = observationWith(structuredClone(facts));
        expect(plan(copy, diagnose(copy), policy)).toEqual(once);
      }),
    );
  });

  it('touches nothing that the policy refuses', () => {
    fc.assert(
      fc.property(nodes, policies, (observation, policy) => {
        for (const { diagnosis } of actions(plan(observation, diagnose(observation), policy))) {
          const { volume, site, volumeMount, fuseAbove } = diagnosis;
          const pod = observation.snapshot.pod(site.podUid);
          expect(policy.enabled).toBe(true);
          if (policy.readWriteScope === 'volume') expect(isReadOnly(volume)).toBe(true);
          if (policy.readWriteScope === 'cluster') expect(observation.snapshot.volumes.every(isReadOnly)).toBe(true);
          expect(fuseAbove).toBeUndefined();
          expect(observation.sources.get(volume.name)?.map(({ state }) => state)).toEqual(['live']);
          if (site.kind === 'target') {
            expect(pod?.deleting).toBe(false);
            continue;
          }
          if (policy.pods === 'label') expect(pod?.labels[recoveryLabel]).toBe('true');
          if (policy.subPath === 'refuse') expect(volumeMount?.subPath).toBeUndefined();
          expect(pod?.runtimeClass).not.toBe('kata');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('acts on exactly the unhealthy sites that are allowed and have a live source', () => {
    fc.assert(
      fc.property(nodes, (observation) => {
        const lifted: Policy = {
          enabled: true,
          readWriteScope: 'recover',
          subPath: 'recover',
          pods: 'all',
          unsupportedRuntimes: [],
        };
        const expected = diagnose(observation).filter(({ volume, stack, fuseAbove, site }) => {
          const isLive = observation.sources.get(volume.name)?.[0]?.state === 'live';
          const top = stack.at(-1)?.device;
          const isBroken = top !== undefined && top !== live;
          const isUnpublished = site.kind === 'target' && observation.snapshot.pod(site.podUid)?.deleting;
          return isLive && isBroken && fuseAbove === undefined && !isUnpublished;
        });
        const acted = actions(plan(observation, diagnose(observation), lifted)).map(({ diagnosis }) => diagnosis);
        expect(new Set(acted)).toEqual(new Set(expected));
      }),
      { numRuns: 500 },
    );
  });

  it('recovers the target paths of a volume before its containers', () => {
    fc.assert(
      fc.property(nodes, (observation) => {
        const kinds = new Map<string, string[]>();
        for (const { diagnosis } of plan(observation, diagnose(observation), openPolicy)) {
          const { volume, site } = diagnosis;
          kinds.set(volume.name, [...(kinds.get(volume.name) ?? []), site.kind]);
        }
        for (const order of kinds.values()) expect(order).toEqual([...order].sort().reverse());
      }),
    );
  });

  it('explains each skip in one sentence', () => {
    fc.assert(
      fc.property(nodes, policies, (observation, policy) => {
        for (const step of plan(observation, diagnose(observation), policy)) {
          if (step.kind !== 'skip') continue;
          expect(step.detail).toMatch(/^[^\n]{20,}$/);
          expect(step.detail).not.toMatch(/undefined|\[object/);
        }
      }),
    );
  });
});

describe('the directory mounted at a site', () => {
  const planned = (volume: Volume, site: { root?: string; subPath?: string }, sourceRoot = '/') => {
    const { root = '/', subPath } = site;
    const pod = podNamed('pod-1', [{ volume: volume.name, ...(subPath === undefined ? {} : { subPath }) }]);
    const observation = observationWith({
      mounts: tableOf([{ mountPoint: sourcePath('demo'), device: live, root: sourceRoot }]),
      volumes: [volume],
      pods: [pod],
      containers: [containerOf('pod-1', tableOf([{ mountPoint: '/data', device: dead, root }]))],
    });
    const [step] = plan(observation, diagnose(observation), { ...openPolicy, subPath: 'recover' });
    return step?.kind === 'skip' ? undefined : step?.source.root;
  };

  it('is the whole volume by default', () => expect(planned(volumeNamed('demo'), {})).toBe('/'));

  it('is the published subdirectory, even if the dead mount shows it as deleted', () => {
    const volume = volumeNamed('demo', { subdirectory: 'team/a' });
    expect(planned(volume, { root: '/team/a//deleted' })).toBe('/team/a');
    expect(planned(volume, { root: '/team/a' }, '/base')).toBe('/base/team/a');
  });

  it('is the directory that a subPath led to, as shown by the mount itself', () => {
    expect(planned(volumeNamed('demo'), { root: '/x/sub//deleted', subPath: '$(POD)/sub' })).toBe('/x/sub');
  });
});

describe('isReadOnly', () => {
  it.each<[readonly AccessMode[], boolean]>([
    [['ReadOnlyMany'], true],
    [['ReadOnlyMany', 'ReadWriteMany'], false],
    [['ReadWriteOncePod'], false],
    [[], false],
  ])('of %j is %s', (accessModes, is) => expect(isReadOnly({ accessModes })).toBe(is));
});
