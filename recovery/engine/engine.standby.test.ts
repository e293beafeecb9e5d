import { describe, expect, it } from 'vitest';
import type { EngineOptions } from './engine.ts';
import type { DeviceId, Mount, Nanoseconds, Volume } from './model.ts';
import { MountTree } from './mount-sites.ts';
import { crash } from './testing/healthy-pod.ts';
import { AgentDied } from './testing/modelled-kernel.ts';
import { createWorld, openPolicy, podNamed, sourcePath, volumeNamed, type World } from './testing/world.ts';

const standbyPath = (number = 0, volume = 'demo') =>
  sourcePath(volume).replace(/\/jindofs-fuse$/, `/standby-${number}/jindofs-fuse`);

/** A pod that reads a volume whose daemon has a standby, and an engine that has nothing to do. */
async function podWithStandby(
  options: Partial<EngineOptions> = {},
  { volume = {}, mount = {} }: { readonly volume?: Partial<Volume>; readonly mount?: Partial<Mount> } = {},
): Promise<World & { readonly standby: DeviceId }> {
  const world = createWorld({ standby: true, ...options });
  world.volumes.push(volumeNamed('demo', volume));
  world.serve('demo');
  world.run(podNamed('pod-1', [{}]));
  const standby = world.kernel.mountFuse(world.kernel.host, standbyPath(), 'live', mount);
  world.engine.start();
  await world.clock.settle();
  return Object.assign(world, { standby });
}

const shown = (world: World) => world.top(world.kernel.host, world.target('pod-1'))?.device;

describe('a standby', () => {
  it('takes over as soon as the daemon dies, which is reported', async () => {
    await using world = await podWithStandby();
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(shown(world)).toBe(world.standby);
    expect(world.decisionsOf('failed-over')).toMatchObject([{ from: sourcePath('demo'), to: standbyPath(), sites: 2 }]);
    expect(world.decisionsOf('noticed').at(-1)).toMatchObject({
      source: { state: 'dead' },
      role: 'active',
      other: standbyPath(),
    });
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('takes over in a container that started after the last scan, and waits for no resync', async () => {
    await using world = await podWithStandby();
    world.run(podNamed('pod-2', [{}]));
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('is not waited for while it starts, once the daemon that hung answers again', async () => {
    let policy = { ...openPolicy, enabled: false };
    await using world = await podWithStandby({ policy: () => policy });
    world.kernel.crash(world.standby);
    crash(world);
    const restarted = world.serve('demo');
    await world.clock.settle();
    world.kernel.setState(restarted, 'hung');
    world.kernel.detach(world.kernel.host, standbyPath());
    world.kernel.mountFuse(world.kernel.host, standbyPath(), 'starting');
    await world.clock.advance(8_000);
    world.kernel.setState(restarted, 'live');
    policy = openPolicy;
    await world.clock.advance(6_000);
    expect(world.broken()).toEqual([]);
  });

  it('that answers at last gets no daemon aborted that has hung and answers by then', async () => {
    const abortHungAfter = 10_000_000_000n as Nanoseconds;
    await using world = await podWithStandby({ abortHungAfter });
    const active = world.sourceOf('demo') as DeviceId;
    world.kernel.crash(world.standby);
    world.kernel.detach(world.kernel.host, standbyPath());
    world.kernel.setState(active, 'hung');
    const starting = world.kernel.mountFuse(world.kernel.host, standbyPath(), 'starting');
    await world.clock.advance(17_500);
    world.kernel.setState(active, 'live');
    await world.clock.advance(500);
    world.kernel.setState(starting, 'live');
    await world.clock.advance(30_000);
    expect(world.kernel.aborted).toEqual([]);
  });

  it('does nothing if the gate is off', async () => {
    await using world = await podWithStandby({ standby: false });
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toHaveLength(2);
    expect(world.decisionsOf('failed-over')).toEqual([]);
  });

  it('is what the restarted daemon becomes, and nothing moves back', async () => {
    await using world = await podWithStandby();
    crash(world);
    await world.clock.settle();
    const restarted = world.serve('demo');
    await world.clock.advance(20_000);
    expect(shown(world)).toBe(world.standby);
    world.kernel.crash(world.standby);
    await world.clock.settle();
    expect(shown(world)).toBe(restarted);
    expect(world.decisionsOf('failed-over').map(({ from, to }) => [from, to])).toEqual([
      [sourcePath('demo'), standbyPath()],
      [standbyPath(), sourcePath('demo')],
    ]);
    expect(world.broken()).toEqual([]);
  });

  it('gives a site that was left dead the active source', async () => {
    await using world = await podWithStandby();
    world.run(podNamed('pod-2', [{}], { labels: {} }));
    crash(world);
    await world.clock.settle();
    world.serve('demo');
    await world.clock.settle();
    world.pods[1] = podNamed('pod-2', [{}]);
    await world.engine.pass('kubernetes');
    expect(world.kernel.processes.map(({ mounts }) => world.top(mounts, '/data')?.device)).toEqual([
      world.standby,
      world.standby,
    ]);
  });

  it('is not used while it hangs', async () => {
    await using world = await podWithStandby();
    world.kernel.setState(world.standby, 'hung');
    await world.clock.advance(10_000);
    expect(world.decisionsOf('noticed').at(-1)).toMatchObject({ source: { state: 'hung' }, role: 'standby' });
    crash(world);
    await world.clock.advance(1_000);
    expect(world.kernel.counts.replacements).toBe(0);
    const restarted = world.serve('demo');
    await world.clock.advance(1_000);
    expect(shown(world)).toBe(restarted);
    expect(world.decisionsOf('failed-over')).toEqual([]);
  });

  it('is reported when it dies, and its successor takes over', async () => {
    await using world = await podWithStandby();
    world.kernel.crash(world.standby);
    await world.clock.settle();
    expect(world.decisionsOf('noticed').at(-1)).toMatchObject({ source: { state: 'dead' }, role: 'standby' });
    const successor = world.kernel.mountFuse(world.kernel.host, standbyPath());
    await world.clock.settle();
    crash(world);
    await world.clock.settle();
    expect(shown(world)).toBe(successor);
  });

  it('is prepared for and watched as soon as it answers, although the active daemon answers first', async () => {
    await using world = await podWithStandby();
    world.kernel.detach(world.kernel.host, standbyPath());
    const late = world.kernel.mountFuse(world.kernel.host, standbyPath(), 'starting');
    await world.clock.advance(100);
    world.kernel.setState(late, 'live');
    await world.clock.advance(100);
    expect(world.kernel.prepared.map(({ source }) => source.device)).toEqual([late]);
    world.kernel.crash(late);
    await world.clock.settle();
    expect(world.decisionsOf('noticed').at(-1)).toMatchObject({ source: { state: 'dead', device: late } });
  });

  it('leaves the mounts of a daemon that hangs alone, unless hung connections are aborted', async () => {
    await using world = await podWithStandby();
    world.kernel.setState(world.sourceOf('demo') ?? ('' as DeviceId), 'hung');
    await world.clock.advance(60_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped').map(({ reason }) => reason)).toEqual(['hung', 'hung']);
    world.replaceEngine({ abortHungAfter: 10_000_000_000n as Nanoseconds });
    world.engine.start();
    await world.clock.advance(120_000);
    expect(shown(world)).toBe(world.standby);
    expect(world.broken()).toEqual([]);
  });

  it('takes over from a daemon that died before the agent was started', async () => {
    await using world = await podWithStandby();
    await world.engine[Symbol.asyncDispose]();
    crash(world);
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    world.replaceEngine();
    world.engine.start();
    await world.clock.settle();
    expect(shown(world)).toBe(world.standby);
    expect(world.broken()).toEqual([]);
  });

  it.each(['active', 'standby'])('recovers from whichever comes back first if both are dead: %s', async (first) => {
    await using world = await podWithStandby();
    world.kernel.crash(world.standby);
    crash(world);
    await world.clock.advance(5_000);
    expect(world.kernel.counts.replacements).toBe(0);
    const back = first === 'active' ? world.serve('demo') : world.kernel.mountFuse(world.kernel.host, standbyPath());
    await world.clock.settle();
    expect(shown(world)).toBe(back);
    expect(world.broken()).toEqual([]);
  });

  const refused = async (world: World, detail: string) => {
    crash(world);
    await world.clock.advance(30_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('standby-refused')).toMatchObject([
      { path: standbyPath(), detail: expect.stringContaining(detail) },
    ]);
    // Ordinary recovery continues.
    const restarted = world.serve('demo');
    await world.clock.settle();
    expect(world.kernel.counts.replacements === 0 || shown(world) === restarted).toBe(true);
  };

  it.each<[string, Partial<Mount>]>([
    ['of another mount source', { mountSource: 'other-version' }],
    ['of another file system type', { fstype: 'fuse.other' }],
  ])('is refused once if it is %s', async (_, mount) => {
    await using world = await podWithStandby({}, { mount });
    await refused(world, 'the volume\'s is "fuse.fake fake"');
  });

  it('is refused once if it is no FUSE mount', async () => {
    await using world = await podWithStandby({}, { mount: { fstype: 'tmpfs' } });
    await refused(world, 'is a mount of type tmpfs and not of a FUSE daemon');
  });

  it('is refused once for a volume that is not read-only, whatever the scope of the refusal', async () => {
    await using world = await podWithStandby({}, { volume: { accessModes: ['ReadWriteMany'] } });
    world.policy = { ...world.policy, readWriteScope: 'recover' };
    await refused(world, 'would not have the last writes');
  });

  it('is refused once on a kernel without mount_setattr', async () => {
    await using world = createWorld({ standby: true }, '5.10');
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    world.run(podNamed('pod-1', [{}]));
    world.kernel.mountFuse(world.kernel.host, standbyPath());
    world.engine.start();
    await world.clock.settle();
    await refused(world, 'boot Linux 5.12');
  });

  it('is not what a container mounts at such a path, which is ignored', async () => {
    await using world = createWorld({ standby: true });
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    world.run(podNamed('pod-1', [{}]));
    world.kernel.mountFuse(world.kernel.processes[0]?.mounts ?? [], standbyPath());
    world.engine.start();
    await world.clock.advance(1_000);
    crash(world);
    await world.clock.advance(10_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('standby-refused')).toEqual([]);
  });

  it.each([
    [sourcePath('other'), ['other']],
    [standbyPath(0, 'other'), ['other']],
    [sourcePath('other'), []],
    [standbyPath(0, 'other'), []],
  ])(
    'is refused once if it is the mount of another dataset at %s, with known volumes demo, %j',
    async (path, others) => {
      await using world = createWorld({ standby: true });
      world.volumes.push(volumeNamed('demo'), ...others.map((name) => volumeNamed(name)));
      world.serve('demo');
      world.run(podNamed('pod-1', [{}]));
      const other = world.kernel.mountFuse(world.kernel.host, path);
      world.kernel.bind(world.kernel.host, standbyPath(), { device: other });
      world.engine.start();
      await world.clock.settle();
      const refusals = () => world.decisionsOf('standby-refused').filter(({ volume }) => volume.name === 'demo');
      crash(world);
      await world.clock.advance(30_000);
      expect(world.kernel.counts.replacements).toBe(0);
      expect(refusals()).toMatchObject([{ detail: expect.stringContaining('another dataset') }]);
    },
  );
});

describe('a standby whose mount root is bound to a second place', () => {
  it('is used', async () => {
    await using world = createWorld({ standby: true });
    world.volumes.push(volumeNamed('demo'));
    const active = world.serve('demo');
    world.run(podNamed('pod-1', [{}]));
    const standby = world.kernel.mountFuse(world.kernel.host, standbyPath());
    for (const [path, device] of [
      [sourcePath('demo'), active],
      [standbyPath(), standby],
    ] as const)
      world.kernel.bind(world.kernel.host, path.replace('/runtime-mnt/', '/runtime-mnt/view/'), { device });
    world.engine.start();
    await world.clock.settle();
    expect(world.decisionsOf('standby-refused')).toEqual([]);
  });
});

describe('the contents of a standby', () => {
  const differences = (world: World) => world.decisionsOf('standby-differs').map(({ standby }) => standby);

  it.each([
    ['same', 'files', []],
    ['other', 'other files', [standbyPath()]],
  ])('are compared once while both daemons live: %s files', async (_, listing, expected) => {
    await using world = await podWithStandby();
    world.kernel.setListing(world.standby, listing);
    await world.clock.advance(100);
    expect(differences(world)).toEqual(expected);
    const { reads } = world.kernel.counts;
    await world.clock.advance(60_000);
    expect(differences(world)).toEqual(expected);
    expect(world.kernel.counts.reads).toBe(reads);
  });

  it('are compared with those of the restarted daemon, too', async () => {
    await using world = await podWithStandby();
    await world.clock.advance(100);
    crash(world);
    await world.clock.settle();
    world.kernel.setListing(world.serve('demo'), 'other files');
    await world.clock.advance(1_000);
    expect(differences(world)).toEqual([sourcePath('demo')]);
  });

  it('are not called different if they cannot be listed', async () => {
    await using world = await podWithStandby();
    world.kernel.setListing(world.standby, 'other files');
    world.kernel.deny(world.standby, 0);
    await world.clock.advance(1_000);
    expect(differences(world)).toEqual([]);
  });
});

describe('a failover', () => {
  const preparedAt = (world: World) => world.kernel.prepared.map(({ site, source }) => [site.path, source.device]);

  it('is prepared in containers while a standby is live, and for the restarted daemon afterwards', async () => {
    await using world = await podWithStandby();
    await world.clock.advance(100);
    expect(preparedAt(world)).toEqual([['/data', world.standby]]);
    crash(world);
    await world.clock.advance(1_000);
    expect(preparedAt(world)).toEqual([]);
    const restarted = world.serve('demo');
    await world.clock.advance(1_000);
    expect(preparedAt(world)).toEqual([['/data', restarted]]);
  });

  it.each<readonly [string, (world: World) => void]>([
    ['standby', ({ kernel }) => kernel.detach(kernel.host, standbyPath())],
    ['daemon of the standby', ({ kernel }) => kernel.crash(kernel.host.at(-1)?.device ?? ('' as DeviceId))],
    ['pod', ({ pods }) => void pods.pop()],
    ['dataset', ({ volumes }) => void volumes.pop()],
  ])('is prepared no more within a second after the %s has gone', async (_, remove) => {
    await using world = await podWithStandby();
    await world.clock.advance(100);
    expect(world.kernel.prepared).toHaveLength(1);
    remove(world);
    world.kubernetesChanged();
    await world.clock.advance(1_000);
    expect(world.kernel.prepared).toEqual([]);
  });

  it.each<readonly [string, (world: World) => void]>([
    ['there is no standby', ({ kernel }) => kernel.detach(kernel.host, standbyPath())],
    [
      'a mount is inside',
      ({ kernel }) =>
        void kernel.bind(kernel.processes[0]?.mounts ?? [], '/data/cache', {
          device: '0:99' as DeviceId,
          fstype: 'tmpfs',
        }),
    ],
    ['the pod has no label', (world) => void world.pods.splice(0, 1, podNamed('pod-1', [{}], { labels: {} }))],
    ['recovery is off', (world) => Object.assign(world, { policy: { ...openPolicy, enabled: false } })],
  ])('is not prepared if %s', async (_, arrange) => {
    await using world = await podWithStandby();
    arrange(world);
    world.kubernetesChanged();
    // All tables are read once a minute.
    await world.clock.advance(61_000);
    expect(world.kernel.prepared).toEqual([]);
  });

  it('includes containers with mounts inside', async () => {
    await using world = await podWithStandby();
    const mounts = world.kernel.processes[0]?.mounts ?? [];
    world.kernel.bind(mounts, '/data/cache', { device: '0:99' as DeviceId, fstype: 'tmpfs' });
    await world.clock.advance(61_000);
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.top(mounts, '/data/cache')?.device).toBe('0:99');
  });

  it('waits until the connection is dead if a process hands it over, and watches the next process', async () => {
    await using world = await podWithStandby();
    const device = world.sourceOf('demo') ?? ('' as DeviceId);
    world.kernel.handOver(device);
    await world.clock.settle();
    expect(world.kernel.counts.replacements).toBe(0);
    world.kernel.crash(device);
    await world.clock.settle();
    expect(shown(world)).toBe(world.standby);
  });

  it.each<[string, number, (world: World) => void]>([
    ['nothing changes', 4, () => {}],
    [
      'recovery is turned off',
      0,
      (world) => {
        world.policy = { ...openPolicy, enabled: false };
      },
    ],
    // Only its target path is left alone: its containers read on until they end.
    ['a pod is being deleted', 3, ({ pods }) => void pods.splice(1, 1, podNamed('pod-2', [{}], { deleting: true }))],
  ])('is planned for what is there if %s while the daemons are asked', async (_, replacements, change) => {
    let planning = () => {};
    await using world = await podWithStandby();
    world.run(podNamed('pod-2', [{}]));
    await world.clock.advance(6_000);
    const { ask } = world.kernel;
    world.kernel.ask = (request) => {
      // After the plan for the expected answers has been made.
      void Promise.resolve().then(() => planning());
      return ask(request);
    };
    planning = () => {
      planning = () => {};
      change(world);
    };
    crash(world);
    await world.clock.settle();
    expect(world.kernel.counts.replacements).toBe(replacements);
  });

  it('does not take an answer that the standby gave before the daemon died', async () => {
    await using world = await podWithStandby();
    // The answer is still on its way when the daemon dies, and then the standby hangs.
    void world.engine.pass('resync');
    crash(world);
    world.kernel.setState(world.standby, 'hung');
    await world.clock.advance(1_000);
    expect(world.kernel.counts.replacements).toBe(0);
  });

  it('reaches a pod that is created meanwhile', async () => {
    await using world = await podWithStandby();
    crash(world);
    world.run(podNamed('pod-2', [{}]));
    await world.clock.advance(6_000);
    expect(world.broken()).toEqual([]);
  });

  it('continues from the next daemon if the standby dies in the middle of it', async () => {
    await using world = await podWithStandby();
    world.run(podNamed('pod-2', [{}]));
    await world.clock.advance(6_000);
    let calls = 0;
    world.kernel.failWith(() => {
      calls += 1;
      if (calls === 3) world.kernel.setState(world.standby, 'dead');
      return undefined;
    });
    crash(world);
    await world.clock.settle();
    world.kernel.failWith(undefined);
    world.serve('demo');
    await world.clock.advance(11_000);
    expect(world.broken()).toEqual([]);
    for (const { mounts } of world.kernel.processes) expect(new MountTree(mounts).at('/data').stack).toHaveLength(1);
  });

  it('leaves one mount at each site, wherever the agent dies', async () => {
    for (let calls = 0; calls < 4; calls++) {
      await using world = await podWithStandby();
      await world.engine[Symbol.asyncDispose]();
      world.kernel.crash(world.sourceOf('demo') ?? ('' as DeviceId));
      world.replaceEngine();
      world.kernel.dieBefore(calls);
      await world.engine.pass('start').catch((error) => expect(error).toBeInstanceOf(AgentDied));
      world.kernel.dieBefore(undefined);
      world.replaceEngine();
      await world.engine.pass('start');
      expect(world.broken()).toEqual([]);
      expect(new MountTree(world.kernel.host).at(world.target('pod-1')).stack).toHaveLength(1);
      expect(new MountTree(world.kernel.processes[0]?.mounts ?? []).at('/data').stack).toHaveLength(1);
    }
  });
});
