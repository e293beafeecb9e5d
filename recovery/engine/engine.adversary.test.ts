import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DeviceId, driverName, type Mount, type VolumeRecord } from './model.ts';
import { targetPath } from './mount-sites.ts';
import type { ModelledContainer } from './testing/modelled-kernel.ts';
import {
  createWorld,
  kubeletRoot,
  openPolicy,
  podNamed,
  sourcePath,
  volumeNamed,
  type World,
} from './testing/world.ts';

/**
 * The adversary is a tenant without privileges. In its own containers, and in mount and user namespaces that it makes there, it may mount
 * whatever it likes wherever it likes; it chooses the names and volumes of its pods, runs FUSE daemons of its own and ends or stops them.
 * It cannot write to the node's mount table, to the kubelet's files, or to the mount tables of other pods. A privileged pod can, and is
 * root on the node: it is no adversary, but accidents with such pods are among the moves.
 */
const moves = [
  'an inline volume bears the name of the victim’s volume',
  'an inline volume bears that name and has no record',
  'an inline volume bears that name and its pod claims the volume of the adversary',
  'a FUSE mount over its own volume',
  'a FUSE mount over its own volume that is named like the victim’s',
  'a namespace of its own with a FUSE mount at the mount path',
  'a namespace of its own with a mount of another directory at its subPath',
  'its FUSE mounts get a device number of the victim’s',
  'a symbolic link leads to another mount',
  'its daemons die',
  'its daemons hang',
  'its pod leaves the API',
  'its pod comes back',
  'a process of another container takes the pid of its container',
  'its daemon is started again',
  'a nested kubelet publishes volumes',
  'the kubelet’s directory is bound a second time',
  'the victim’s daemon crashes',
  'the victim’s daemon crashes and comes back',
  'the agent is restarted',
  'time passes',
] as const;

const likeVictim = { fstype: 'fuse.fake', mountSource: 'fake' };
const unlikeVictim = { fstype: 'fuse.own', mountSource: 'own' };
const inline: VolumeRecord = { driverName: 'other.example.com', volumeHandle: 'csi-0a1b', specVolID: 'secret' };

class Attack implements AsyncDisposable {
  readonly world: World = createWorld();
  readonly secrets = new Set<DeviceId>();
  /** Mounts that are not the agent's to remove, with their tables. */
  readonly foreign: { readonly table: readonly Mount[]; readonly device: DeviceId }[] = [];
  readonly ownDevices = new Set<DeviceId>();
  readonly containers: ModelledContainer[];
  readonly victim = podNamed('victim', [{ volume: 'secret' }]);
  readonly evil = podNamed('evil', [{ volume: 'own' }, { volume: 'shared', mountPath: '/sub', subPath: 'a' }]);
  #count = 0;

  constructor() {
    const { world } = this;
    world.policy = { ...openPolicy, subPath: 'recover' };
    for (const name of ['secret', 'own', 'shared']) world.volumes.push(volumeNamed(name));
    this.secrets.add(world.serve('secret'));
    world.serve('own');
    world.serve('shared');
    world.run(this.victim);
    this.containers = world.run(this.evil);
    world.engine.start();
  }

  get #tables(): (readonly Mount[])[] {
    return this.world.kernel.processes.filter(({ podUid }) => podUid !== 'victim').map(({ mounts }) => mounts);
  }

  #mountOwn(table: readonly Mount[], path: string, facts: Partial<Mount>, isForeign: boolean): void {
    const device = this.world.kernel.mountFuse(table, path, 'live', facts);
    this.ownDevices.add(device);
    if (isForeign) this.foreign.push({ table, device });
  }

  #inline(podUid: string, record: VolumeRecord | undefined): void {
    const { kernel } = this.world;
    const path = targetPath(kubeletRoot, podUid, 'secret');
    if (record !== undefined) kernel.records.set(path, record);
    this.#mountOwn(kernel.host, path, unlikeVictim, true);
  }

  #namespace(path: string, facts: Partial<Mount>): void {
    const pid = 5000 + this.#count++;
    const [container] = this.containers;
    if (container === undefined) return;
    const made = this.world.kernel.fork(container, { pid, startTime: String(pid), userNamespace: 'user:[5]' });
    this.world.kernel.processes.push(made);
    this.#mountOwn(made.mounts, path, facts, false);
  }

  async make(move: (typeof moves)[number]): Promise<void> {
    const { world } = this;
    const { kernel } = world;
    const own = [...this.ownDevices];
    switch (move) {
      case 'an inline volume bears the name of the victim’s volume':
        return this.#inline(`inline-${this.#count++}`, inline);
      case 'an inline volume bears that name and has no record':
        return this.#inline(`inline-${this.#count++}`, undefined);
      case 'an inline volume bears that name and its pod claims the volume of the adversary':
        return this.#inline('evil', { ...inline, driverName });
      case 'a FUSE mount over its own volume':
        return this.#mountOwn(this.#tables[0] ?? [], '/data', unlikeVictim, true);
      case 'a FUSE mount over its own volume that is named like the victim’s':
        return this.#mountOwn(this.#tables[0] ?? [], '/data', likeVictim, false);
      case 'a namespace of its own with a FUSE mount at the mount path':
        return this.#namespace('/data', likeVictim);
      case 'a namespace of its own with a mount of another directory at its subPath':
        return this.#namespace('/sub', { ...likeVictim, root: '/b' });
      case 'its FUSE mounts get a device number of the victim’s': {
        const used = [kernel.host, ...kernel.processes.map(({ mounts }) => mounts)].flat();
        const free = [...this.secrets].find((device) => !used.some((mount) => mount.device === device));
        if (free === undefined) return;
        this.secrets.delete(free);
        return this.#mountOwn(this.#tables[0] ?? [], '/data', { ...unlikeVictim, device: free }, false);
      }
      case 'a symbolic link leads to another mount': {
        const at = kernel.processes.findIndex(({ podUid }) => podUid === 'evil');
        const container = kernel.processes[at];
        if (container !== undefined) kernel.processes[at] = { ...container, links: { '/data': '/', '/sub': '/data' } };
        return;
      }
      case 'its daemons die':
        for (const device of own) kernel.crash(device);
        return;
      case 'its daemons hang':
        for (const device of own) if (kernel.stateOf(device) === 'live') kernel.setState(device, 'hung');
        return;
      case 'its pod leaves the API':
        if (world.pods.includes(this.evil)) world.pods.splice(world.pods.indexOf(this.evil), 1);
        return world.kubernetesChanged();
      case 'its pod comes back':
        if (!world.pods.includes(this.evil)) world.pods.push(this.evil);
        return world.kubernetesChanged();
      case 'a process of another container takes the pid of its container': {
        const [a, b] = ['victim', 'evil'].map((uid) => kernel.processes.findIndex(({ podUid }) => podUid === uid));
        const [victim, evil] = [kernel.processes[a ?? -1], kernel.processes[b ?? -1]];
        if (victim === undefined || evil === undefined) return;
        const { replaceAll } = kernel;
        // Between the next snapshot and its action, for one action.
        kernel.replaceAll = (replacements) => {
          kernel.replaceAll = replaceAll;
          const swap = (from: ModelledContainer, pid: number) =>
            kernel.processes.splice(kernel.processes.indexOf(from), 1, { ...from, pid });
          swap(victim, evil.pid);
          swap(evil, victim.pid);
          const results = replaceAll(replacements);
          const { processes } = kernel;
          for (const from of [...processes])
            if (from.podUid === 'victim' || from.mounts === evil.mounts)
              processes.splice(processes.indexOf(from), 1, {
                ...from,
                pid: from.podUid === 'victim' ? victim.pid : evil.pid,
              });
          return results;
        };
        return;
      }
      case 'its daemon is started again':
        if (kernel.stateOf(world.sourceOf('own') ?? ('' as DeviceId)) === 'live')
          kernel.crash(world.sourceOf('own') ?? ('' as DeviceId));
        await world.clock.settle();
        world.serve('own');
        kernel.crash(world.sourceOf('shared') ?? ('' as DeviceId));
        world.serve('shared');
        return world.clock.settle();
      case 'a nested kubelet publishes volumes': {
        const nested = `${kubeletRoot}/pods/outer/volumes/kubernetes.io~empty-dir/docker${targetPath(kubeletRoot, 'victim', 'secret')}`;
        return this.#mountOwn(kernel.host, nested, unlikeVictim, true);
      }
      case 'the kubelet’s directory is bound a second time': {
        const at = kernel.host.find(({ mountPoint }) => mountPoint === world.target('victim', 'secret'));
        if (at !== undefined) kernel.bind(kernel.host, `/data/kubelet${at.mountPoint}`, { device: at.device });
        return;
      }
      case 'the victim’s daemon crashes':
      case 'the victim’s daemon crashes and comes back': {
        const source = world.sourceOf('secret');
        if (source !== undefined && kernel.stateOf(source) === 'live') kernel.crash(source);
        await world.clock.settle();
        if (move === 'the victim’s daemon crashes') return;
        kernel.detach(kernel.host, sourcePath('secret'));
        this.secrets.add(world.serve('secret'));
        return world.clock.settle();
      }
      case 'the agent is restarted':
        world.replaceEngine();
        return world.engine.start();
      case 'time passes':
        return world.clock.advance(20_000);
    }
  }

  /** What the adversary has reached; empty if nothing. */
  successes(): readonly string[] {
    const { kernel } = this.world;
    const isSecret = ({ device }: Mount) => this.secrets.has(device);
    const received = this.#tables
      .filter((table) => table.some(isSecret))
      .map(() => 'it received the secret in a container');
    const published = kernel.host
      .filter(
        (mount) =>
          isSecret(mount) && mount.mountPoint.includes('/pods/') && !mount.mountPoint.includes('/pods/victim/'),
      )
      .map(({ mountPoint }) => `it received the secret at ${mountPoint}`);
    const directories = this.#tables
      .flat()
      .filter(({ device, root }) => device === this.world.sourceOf('shared') && root !== '/a')
      .map(({ root }) => `it received the directory ${root} of the shared volume`);
    const destroyed = this.foreign
      .filter(({ table, device }) => !table.some((mount) => mount.device === device))
      .map(({ device }) => `the mount ${device} was removed`);
    return [...received, ...published, ...directories, ...destroyed];
  }

  /** Whether the victim cannot read although its daemon is live. */
  isBlocked(): boolean {
    const { kernel } = this.world;
    const container = kernel.processes.find(({ podUid }) => podUid === 'victim');
    const sites = [
      this.world.top(kernel.host, this.world.target('victim', 'secret')),
      this.world.top(container?.mounts ?? [], '/data'),
    ];
    return sites.some((mount) => mount === undefined || kernel.stateOf(mount.device) !== 'live');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

describe('an adversary without privileges', () => {
  it('receives, destroys and blocks nothing that belongs to other pods', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...moves), { maxLength: 14 }), async (history) => {
        await using attack = new Attack();
        await attack.world.clock.settle();
        for (const move of history) {
          await attack.make(move);
          await attack.world.clock.settle();
          expect(attack.successes()).toEqual([]);
        }
        await attack.make('its daemons die');
        await attack.make('its daemon is started again');
        await attack.make('the victim’s daemon crashes and comes back');
        await attack.world.clock.advance(70_000);
        expect(attack.successes()).toEqual([]);
        expect(attack.isBlocked()).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});
