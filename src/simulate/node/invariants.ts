import type {
  Decision,
  DeviceId,
  KernelTier,
  MountSite,
  Nanoseconds,
  Pod,
  Volume,
} from '../../../recovery/engine/model.ts';
import { siteKey } from '../../../recovery/engine/mount-sites.ts';
import type { ReadRequest } from '../../../recovery/engine/ports.ts';
import type { VfsMount } from '../../../recovery/linux/model/mounts.ts';
import { abortHungAfter, type PolicyName } from './modelled-agent.ts';
import {
  containerUser,
  isReadOnly,
  type ModelledNode,
  type SimulatedMount,
  type SimulatedPod,
} from './modelled-node.ts';

const isLabelled = ({ labels }: Pod) => labels['fuse.serverful.fluid.io/inject'] === 'true';

class InvariantViolation extends Error {}

export const isInvariantViolation = (error: unknown): error is Error => error instanceof InvariantViolation;

export const violation = (message: string): Error => new InvariantViolation(message);

/** What must hold on a simulated node at any time, whatever the agent knows. */
export class Invariants {
  readonly #node: ModelledNode;
  readonly #tier: KernelTier;
  /** Of the agent that runs. */
  policy: PolicyName = 'documented';
  /** The sites that were read since they were last replaced. */
  readonly #proven = new Set<string>();
  /** When a daemon of each volume last ended. */
  readonly #endedAt = new Map<Volume, Nanoseconds>();

  constructor(node: ModelledNode, tier: KernelTier) {
    this.#node = node;
    this.#tier = tier;
  }

  /** `isBetweenCalls`: the agent is in the middle of its work. */
  check(isBetweenCalls = false): void {
    const onNode = [...this.#node.kernel.initial.root.tree()].map((mount) => ({ mount, path: pathOf(mount) }));
    for (const pod of this.#node.pods) {
      for (const { target, volume } of pod.mounts)
        checkLayers(`${pod.spec.uid} target path`, volume.name, isReadOnly(volume), this.#layers(onNode, target));
      if (pod.process === undefined) continue;
      const inside = [...pod.process.sys.namespace.root.tree()].map((mount) => ({ mount, path: pathOf(mount) }));
      for (const mount of pod.mounts) {
        const { path, volume } = mount;
        checkLayers(`${pod.spec.uid} ${path}`, volume.name, isReadOnly(volume), this.#layers(inside, path));
        const seen = this.#node.siteOf(pod, mount)?.mount.filesystem;
        if (seen !== pod.cover && seen?.fstype !== 'fuse.jindo')
          fail(`${pod.spec.uid} sees the directory below its volume`);
      }
      // Below 6.5 the dead mount is detached for a moment, with what is in it, before the complete replacement takes its place. Since 6.5
      // that happens only with a dead mount beneath it, which is seen meanwhile: nothing can be attached below one that is covered.
      const first = this.#node.siteOf(pod, pod.mounts[0])?.mount.filesystem;
      if (isBetweenCalls && (this.#tier !== '6.5' || first?.connection?.state === 'dead')) continue;
      for (const own of [pod.cover, pod.inside])
        if (own !== undefined && !inside.some(({ mount }) => mount.filesystem === own))
          fail(`${pod.spec.uid} lost a mount of its own: ${own.source}`);
    }
    for (const foreign of this.#node.foreign)
      if (!onNode.some(({ mount }) => mount.filesystem === foreign)) fail('a mount of another driver was removed');
  }

  /** The daemons' mounts at a path, with the names of their volumes. */
  #layers(mounts: readonly PlacedMount[], path: string): readonly Layer[] {
    return mounts.flatMap(({ mount, path: at }) =>
      at === path && mount.filesystem.fstype === 'fuse.jindo'
        ? [{ volume: this.#node.volumeOf(mount.filesystem), isReadOnly: mount.options.has('ro') }]
        : [],
    );
  }

  daemonEnded(volume: Volume, now: Nanoseconds): void {
    this.#endedAt.set(volume, now);
  }

  /** A decision that the agent reports. */
  decided(decision: Decision, now: Nanoseconds): void {
    if (decision.event !== 'recovered' && decision.event !== 'replaced') return;
    const { site, volume } = decision;
    const name = `${site.podUid} ${site.path}`;
    if (decision.event === 'recovered' && !this.#proven.has(siteKey(site)))
      fail(`${name} was recovered without a read`);
    if (decision.event === 'replaced') this.#proven.delete(siteKey(site));
    const pod = this.#node.pods.find(({ spec, process }) =>
      site.kind === 'container' ? process?.pid === site.pid : spec.uid === site.podUid,
    );
    // The container may have been restarted since.
    if (pod === undefined) return;
    if (pod.spec.uid !== site.podUid || (site.kind === 'container' && pod.isUnknown))
      fail(`a container of ${pod.spec.uid} was entered as one of ${site.podUid}`);
    const mount = pod.mounts.find(({ path, target }) => site.path === (site.kind === 'container' ? path : target));
    if (mount === undefined) fail(`${name} is no mount of the pod, and was ${decision.event}`);
    if (decision.event === 'replaced') this.#mayReplace(pod, mount, { kind: site.kind, now });
    const seen = site.kind === 'container' ? this.#node.siteOf(pod, mount) : this.#node.at(site.path);
    // The tenant may have covered the mount.
    if (seen === undefined || seen.mount.filesystem === pod.cover) return;
    const { filesystem } = seen.mount;
    if (this.#node.volumeOf(filesystem) !== volume.name)
      fail(`${name} was ${decision.event} with ${this.#node.ownerOf(filesystem)}`);
    if (decision.event === 'recovered' && filesystem.connection?.state !== 'live')
      fail(`${name} was recovered, but its daemon is ${filesystem.connection?.state}`);
  }

  #mayReplace(
    { spec }: SimulatedPod,
    { volume }: SimulatedMount,
    { kind, now }: { readonly kind: MountSite['kind']; readonly now: Nanoseconds },
  ): void {
    if (this.policy === 'off') fail(`${spec.uid} was recovered, but the gate is off`);
    if (this.policy === 'cluster-scope') fail(`${spec.uid} was recovered, but a volume of the cluster is writable`);
    if (!this.#mayRecover(volume)) fail(`${spec.uid} was recovered, but its volume is writable`);
    if (kind === 'container' && !this.#mayEnter(spec)) fail(`${spec.uid} was entered without the label`);
    // It may have ended between two calls of the agent.
    if (!this.#node.isServed(volume) && this.#endedAt.get(volume) !== now)
      fail(`${spec.uid} was recovered while no daemon of the volume answers`);
  }

  #mayRecover(volume: Volume): boolean {
    if (this.policy === 'off' || this.policy === 'cluster-scope') return false;
    return isReadOnly(volume) || this.policy === 'read-write';
  }

  #mayEnter(pod: Pod): boolean {
    return isLabelled(pod) || this.policy === 'all-pods';
  }

  /** A read that a proof may rest on. */
  read({ site, user, device }: ReadRequest, answered: DeviceId): void {
    if (site.kind === 'source') return;
    if (site.kind === 'container' && user?.uid !== containerUser.uid) fail(`${site.podUid} was read as another user`);
    if (answered === device) this.#proven.add(siteKey(site));
  }

  /** The agent aborts a connection. `isAllowed`: a flag lets it abort those that hang. */
  aborted(device: DeviceId, isAllowed: boolean, now: Nanoseconds): void {
    if (!isAllowed) fail('a connection was aborted although no flag allows it');
    const connection = this.#node.kernel.connections().get(device);
    const at = Number(now / 1_000_000n);
    // If it answers at the very moment of the abort, either may come first.
    const { silentSince, lastSilence } = connection ?? {};
    const since = silentSince ?? (lastSilence?.until === at ? lastSilence.since : at);
    const silence = at - since;
    if (silence < Number(abortHungAfter / 1_000_000n))
      fail(`a connection was aborted that has not answered for ${silence} ms`);
  }

  /** The CSI service has reported that the volume is mounted. */
  published({ spec }: SimulatedPod, { target, volume }: SimulatedMount, readOnly: boolean): void {
    const seen = this.#node.at(target);
    if (seen === undefined || this.#node.volumeOf(seen.mount.filesystem) !== volume.name)
      fail(`${spec.uid} was published without its volume at the target path`);
    if (seen.mount.options.has('ro') !== readOnly) fail(`${spec.uid} was published with other access than requested`);
  }

  /** The CSI service has reported that nothing is mounted any more. */
  unpublished({ spec }: SimulatedPod, { target }: SimulatedMount): void {
    if (this.#node.at(target)?.mount.filesystem.fstype === 'fuse.jindo')
      fail(`${spec.uid} was unpublished, but its volume is mounted`);
  }

  /** All faults have ended some time ago. */
  atRest(deleting: ReadonlySet<SimulatedPod>): void {
    for (const pod of this.#node.pods) {
      if (deleting.has(pod)) fail(`${pod.spec.uid} cannot be deleted`);
      if (pod.process === undefined) fail(`${pod.spec.uid} does not run`);
      for (const mount of pod.mounts) {
        if (!this.#mayRecover(mount.volume)) continue;
        this.#reads(pod, 'the target path', mount, this.#node.at(mount.target)?.mount);
        const isCovered = pod.cover !== undefined && mount === pod.mounts[0];
        if (isCovered || pod.isUnknown || !this.#mayEnter(pod.spec)) continue;
        const seen = this.#node.siteOf(pod, mount)?.mount;
        if (!pod.isForgotten || seen?.filesystem !== pod.stacked) this.#reads(pod, mount.path, mount, seen);
      }
    }
  }

  #reads({ spec }: SimulatedPod, where: string, { volume }: SimulatedMount, mount: VfsMount | undefined): void {
    const { filesystem } = mount ?? {};
    if (filesystem?.connection?.state !== 'live' || this.#node.volumeOf(filesystem) !== volume.name)
      fail(
        `${spec.uid} does not read at ${where}: it has ${filesystem === undefined ? 'nothing' : this.#node.ownerOf(filesystem)}, ${filesystem?.connection?.state}`,
      );
  }
}

interface PlacedMount {
  readonly mount: VfsMount;
  readonly path: string;
}

interface Layer {
  readonly volume: string;
  readonly isReadOnly: boolean;
}

/** All mounts at a path are of the pod's volume, not writable, and one beside the visible one at most, whatever died meanwhile. */
function checkLayers(where: string, volume: string, mustBeReadOnly: boolean, layers: readonly Layer[]): void {
  for (const layer of layers) {
    if (layer.volume !== volume) fail(`${where} has the data of ${layer.volume}, not of ${volume}`);
    if (mustBeReadOnly && !layer.isReadOnly) fail(`${where} is writable`);
  }
  if (layers.length > 2) fail(`${where} has ${layers.length} layers`);
}

function pathOf(mount: VfsMount): string {
  const { parent, mountpoint } = mount;
  if (parent?.parent === undefined || mountpoint === undefined) return '';
  const below = mountpoint.path.slice(parent.root.path === '/' ? 1 : parent.root.path.length + 1);
  const above = pathOf(parent);
  return below === '' ? above : `${above}/${below}`;
}

function fail(message: string): never {
  throw new InvariantViolation(message);
}
