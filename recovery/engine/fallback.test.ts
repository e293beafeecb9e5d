import { describe, expect, it } from 'vitest';
import { FallbackLimits, planFallbacks, settleTime, undecidedNamespaces } from './fallback.ts';
import type { Nanoseconds, Pod } from './model.ts';
import { crash } from './testing/healthy-pod.ts';
import { createWorld, podNamed, volumeNamed, type World } from './testing/world.ts';

const asks = (value: string): Partial<Pod> => ({ annotations: { 'rekindle.dev/fallback': value } });
const controller = { kind: 'ReplicaSet', name: 'set' };
const kept = { restartPolicy: 'Always', controller } as const;
const unlabelled = { ...kept, labels: {} };

/** A node on which `demo` is read-only and `scratch` is not. */
async function nodeWith(pods: readonly Pod[]): Promise<World> {
  const world = createWorld();
  world.volumes.push(volumeNamed('demo'), volumeNamed('scratch', { accessModes: ['ReadWriteMany'] }));
  for (const { name } of world.volumes) world.serve(name);
  for (const pod of pods) world.run(pod);
  world.engine.start();
  await world.clock.settle();
  return world;
}

async function crashBoth(world: World): Promise<void> {
  for (const { name } of world.volumes) crash(world, name);
  await world.clock.advance(1_000);
}

async function bringBack(world: World): Promise<void> {
  for (const { name } of world.volumes) world.serve(name);
  await world.clock.settle();
  await world.clock.advance(6_000);
}

/** `pod kind`, with `!` and the refusal if it is not done. */
function planned(world: World, namespaceAsks: (namespace: string) => string | undefined = () => undefined) {
  const pods = new Map(world.pods.map((pod) => [pod.uid, pod]));
  const facts = { volumes: world.engine.status(), pod: (uid: string) => pods.get(uid), now: world.clock.now() };
  return planFallbacks({ ...facts, namespaceAsks }).map(({ pod, kind, refusal }) =>
    refusal === undefined ? `${pod.uid} ${kind}` : `${pod.uid} ${kind} !${refusal}`,
  );
}

async function afterCrash(pods: readonly Pod[], namespaceAsks?: (namespace: string) => string | undefined) {
  await using world = await nodeWith(pods);
  await crashBoth(world);
  await bringBack(world);
  return planned(world, namespaceAsks);
}

const writer = { volume: 'scratch' };

describe('a pod that is left alone', () => {
  it('gets what it asks for: a restart if its target path is live, an eviction if only a new pod helps', async () => {
    const steps = await afterCrash([
      podNamed('quiet', [{}], unlabelled),
      podNamed('restarts', [{}], { ...unlabelled, ...asks('restart-container') }),
      podNamed('writes', [writer], { ...kept, ...asks('evict') }),
      podNamed('directory', [{ subPath: 'a' }], { ...kept, ...asks('evict') }),
      podNamed('guest', [{}], { ...kept, ...asks('evict'), runtimeClass: 'kata' }),
      podNamed('either', [{}], { ...unlabelled, ...asks('evict, restart-container') }),
      podNamed('recovered', [{}], { ...kept, ...asks('evict') }),
    ]);
    expect(steps.toSorted()).toEqual([
      'directory evict',
      'either restart-container',
      'guest evict',
      'restarts restart-container',
      'writes evict',
    ]);
  });

  it('gets an eviction if it mounts a directory, as no restart helps it, also once its container has ended', async () => {
    await using world = await nodeWith([
      podNamed('unlabelled', [{ subPath: 'a' }], { ...unlabelled, ...asks('evict, restart-container') }),
      podNamed('ended', [{ subPath: 'a' }], { ...kept, ...asks('evict') }),
      podNamed('restarts', [{ subPath: 'a' }], { ...unlabelled, ...asks('restart-container') }),
    ]);
    await crashBoth(world);
    const { processes } = world.kernel;
    processes.splice(
      processes.findIndex(({ podUid }) => podUid === 'ended'),
      1,
    );
    await bringBack(world);
    expect(planned(world).toSorted()).toEqual([
      'ended evict',
      expect.stringContaining('restarts evict !restart-container does not help'),
      'unlabelled evict',
    ]);
  });

  it('gets nothing without an annotation of its own or of its namespace', async () => {
    const pods = [
      podNamed('own', [writer], { ...kept, namespace: 'a' }),
      podNamed('other', [writer], { ...kept, namespace: 'b' }),
    ];
    expect(await afterCrash(pods)).toEqual([]);
    expect(await afterCrash(pods, (namespace) => (namespace === 'a' ? 'evict' : undefined))).toEqual(['own evict']);
  });

  it('can decline what its namespace asks for', async () => {
    const [refused, ...others] = await afterCrash(
      [podNamed('p', [writer], { ...kept, ...asks('none') })],
      () => 'evict',
    );
    expect(refused).toContain('rekindle.dev/fallback=none is not understood: use restart-container or evict');
    expect(others).toEqual([]);
  });
});

it.each<[string, Partial<Pod>, Partial<Parameters<typeof podNamed>[1][number]>, string]>([
  ['no controller', { ...asks('evict'), restartPolicy: 'Always' }, writer, 'it has no controller'],
  [
    'a DaemonSet',
    { ...asks('evict'), ...kept, controller: { kind: 'DaemonSet', name: 'd' } },
    writer,
    'a pod of a DaemonSet',
  ],
  ['a static pod', { ...asks('evict'), ...kept, controller: { kind: 'Node', name: 'n' } }, writer, 'a pod of a Node'],
  ['restartPolicy Never', { ...asks('evict'), controller, restartPolicy: 'Never' }, writer, 'restartPolicy Never'],
  ['a restart that does not help', { ...asks('restart-container'), ...kept }, writer, 'ask for evict'],
  ['an eviction that is not needed', { ...asks('evict'), ...unlabelled }, {}, 'ask for restart-container'],
  [
    'a restart that may not follow',
    { ...asks('restart-container'), ...unlabelled, restartPolicy: 'OnFailure' },
    {},
    'OnFailure',
  ],
])('refuses %s, and says what to do', async (_, facts, mount, sentence) => {
  const [step, ...others] = await afterCrash([podNamed('p', [mount], facts)]);
  expect(step).toContain(`!`);
  expect(step).toContain(sentence);
  expect(others).toEqual([]);
});

it('does nothing while no daemon serves, nor before it has served for a while', async () => {
  await using world = await nodeWith([podNamed('writes', [writer], { ...kept, ...asks('evict') })]);
  expect(planned(world)).toEqual([]);
  await crashBoth(world);
  await world.clock.advance(60_000);
  expect(planned(world)).toEqual([]);
  world.serve('scratch');
  await world.clock.settle();
  await world.clock.advance(Number(settleTime) / 1e6 - 1);
  expect(planned(world)).toEqual([]);
  await world.clock.advance(1);
  expect(planned(world)).toEqual(['writes evict']);
  crash(world, 'scratch');
  await world.clock.advance(1_000);
  expect(planned(world)).toEqual([]);
});

it('restarts no container while its target path is dead', async () => {
  await using world = await nodeWith([podNamed('p', [{}], { ...unlabelled, ...asks('restart-container') })]);
  await crashBoth(world);
  world.kernel.failWith((call, visited) => (call === 'move_mount' && visited !== 'container' ? 'ENOSPC' : undefined));
  await bringBack(world);
  expect(planned(world)).toEqual([]);
  world.kernel.failWith(undefined);
  await world.clock.advance(6_000);
  expect(planned(world)).toEqual(['p restart-container']);
});

it('leaves a pod alone that is being deleted', async () => {
  await using world = await nodeWith([podNamed('writes', [writer], { ...kept, ...asks('evict') })]);
  await crashBoth(world);
  await bringBack(world);
  world.pods[0] = { ...podNamed('writes', [writer], { ...kept, ...asks('evict') }), deleting: true };
  expect(planned(world)).toEqual([]);
});

it('asks only the namespaces of pods that need it and have not decided themselves', async () => {
  const pods = [
    podNamed('decided', [writer], { ...kept, ...asks('evict'), namespace: 'a' }),
    podNamed('undecided', [writer], { ...kept, namespace: 'b' }),
    podNamed('healthy', [{}], { ...kept, namespace: 'c' }),
  ];
  await using world = await nodeWith(pods);
  await crashBoth(world);
  await bringBack(world);
  const pod = (uid: string) => world.pods.find((each) => each.uid === uid);
  expect([...undecidedNamespaces({ volumes: world.engine.status(), pod })]).toEqual(['b']);
});

describe('the limits', () => {
  const step = (uid: string, volume: string) =>
    ({
      kind: 'evict',
      pod: podNamed(uid, [{}]),
      volume: volumeNamed(volume),
      site: { kind: 'target', podUid: uid, path: '/t' },
    }) as const;
  const at = (seconds: number) => BigInt(seconds * 1e9) as Nanoseconds;

  it('keep fallbacks of a node 2 s apart, and of a volume 10 s', () => {
    const limits = new FallbackLimits();
    limits.count(step('p', 'a'), at(100), true);
    expect([limits.allows(step('q', 'b'), at(101)), limits.allows(step('q', 'b'), at(102))]).toEqual([false, true]);
    expect([limits.allows(step('q', 'a'), at(109)), limits.allows(step('q', 'a'), at(110))]).toEqual([false, true]);
  });

  it('let a pod wait longer after each attempt, and other pods of the volume go first if nothing came of it', () => {
    const limits = new FallbackLimits();
    limits.count(step('p', 'a'), at(0), false);
    expect(limits.allows(step('q', 'a'), at(2))).toBe(true);
    expect([limits.allows(step('p', 'a'), at(9)), limits.allows(step('p', 'a'), at(10))]).toEqual([false, true]);
    limits.count(step('p', 'a'), at(10), false);
    expect([limits.allows(step('p', 'a'), at(29)), limits.allows(step('p', 'a'), at(30))]).toEqual([false, true]);
  });

  it('forget pods that are gone', () => {
    const limits = new FallbackLimits();
    limits.count(step('p', 'a'), at(0), false);
    limits.retain(new Set());
    expect(limits.allows(step('p', 'a'), at(2))).toBe(true);
  });
});
