import type { Decision, DeviceId, KernelTier, MountSite, Pod } from '../../../recovery/engine/model.ts';
import { siteKey } from '../../../recovery/engine/mount-sites.ts';
import type { ReadRequest } from '../../../recovery/engine/ports.ts';
import type { VfsMount } from '../../../recovery/linux/model/mounts.ts';
import { containerUser, isReadOnly, type ModelledNode, type SimulatedPod, targetOf } from './modelled-node.ts';

const isLabelled = ({ labels }: Pod) => 'fuse.serverful.fluid.io/inject' in labels;

class InvariantViolation extends Error {}

export const isInvariantViolation = (error: unknown): error is Error => error instanceof InvariantViolation;

export const violation = (message: string): Error => new InvariantViolation(message);

/** What must hold on a simulated node at any time, whatever the agent knows. */
export class Invariants {
  readonly #node: ModelledNode;
  readonly #tier: KernelTier;
  /** The sites that were read since they were last replaced. */
  readonly #proven = new Set<string>();

  constructor(node: ModelledNode, tier: KernelTier) {
    this.#node = node;
    this.#tier = tier;
  }

  /** `isBetweenCalls`: the agent is in the middle of its work. */
  check(isBetweenCalls = false): void {
    for (const pod of this.#node.pods) {
      const target = targetOf(pod);
      this.#checkTree(pod, this.#node.kernel.initial.root, target);
      if (pod.process === undefined) continue;
      this.#checkTree(pod, pod.process.sys.namespace.root, '/data');
      // Below 6.5 the dead mount is detached for a moment, with what is in it, before the complete replacement takes its place.
      if (!isBetweenCalls || this.#tier === '6.5') this.#checkTenant(pod);
      const seen = this.#node.siteOf(pod)?.mount.filesystem;
      if (seen !== pod.cover && seen?.fstype !== 'fuse.jindo')
        fail(`${pod.spec.uid} sees the directory below its volume`);
    }
    this.#checkForeign();
    this.#checkBound();
  }

  /** All mounts at a path: of the pod's volume, and not writable. */
  #checkTree(pod: SimulatedPod, root: VfsMount, path: string): void {
    const isTarget = path !== '/data';
    for (const mount of root.tree()) {
      const { filesystem, options } = mount;
      if (filesystem.fstype !== 'fuse.jindo' || pathOf(mount) !== path) continue;
      const where = `${pod.spec.uid} ${isTarget ? 'target path' : path}`;
      const served = this.#node.volumeOf(filesystem);
      if (served !== pod.volume.name) fail(`${where} has the data of ${served}, not of ${pod.volume.name}`);
      if (isReadOnly(pod.volume) && !options.has('ro')) fail(`${where} is writable`);
    }
  }

  #checkTenant({ spec, process, cover, inside }: SimulatedPod): void {
    const mounted = [...(process?.sys.namespace.root.tree() ?? [])];
    for (const own of [cover, inside])
      if (own !== undefined && !mounted.some(({ filesystem }) => filesystem === own))
        fail(`${spec.uid} lost a mount of its own: ${own.source}`);
  }

  #checkForeign(): void {
    const mounted = new Set([...this.#node.kernel.initial.root.tree()].map(({ filesystem }) => filesystem));
    for (const foreign of this.#node.foreign)
      if (!mounted.has(foreign)) fail('an inline volume of another driver was removed');
  }

  /** Each target and container mount has one layer beside the visible one at most, whatever died meanwhile. */
  #checkBound(): void {
    for (const pod of this.#node.pods) {
      for (const [root, path] of [
        [this.#node.kernel.initial.root, targetOf(pod)],
        ...(pod.process === undefined ? [] : [[pod.process.sys.namespace.root, '/data'] as const]),
      ] as const) {
        const layers = [...root.tree()].filter(
          (mount) => mount.filesystem.fstype === 'fuse.jindo' && pathOf(mount) === path,
        ).length;
        if (layers > 2) fail(`${pod.spec.uid} has ${layers} layers at ${path}`);
      }
    }
  }

  /** A decision that the agent reports. */
  decided(decision: Decision): void {
    if (decision.event !== 'recovered' && decision.event !== 'replaced') return;
    const { site, volume } = decision;
    if (decision.event === 'recovered' && !this.#proven.has(siteKey(site)))
      fail(`${site.podUid} ${site.path} was recovered without a read`);
    if (decision.event === 'replaced') this.#proven.delete(siteKey(site));
    const pod = this.#node.pods.find(({ spec }) => spec.uid === site.podUid);
    if (pod === undefined) return;
    if (decision.event === 'replaced') this.#mayReplace(pod, site.kind);
    const seen = site.kind === 'container' ? this.#node.siteOf(pod) : this.#node.at(site.path);
    // The container may have been restarted since, or the tenant may have covered the mount.
    if (site.kind === 'container' && site.pid !== pod.process?.pid) return;
    if (seen === undefined || seen.mount.filesystem === pod.cover) return;
    const { filesystem } = seen.mount;
    if (this.#node.volumeOf(filesystem) !== volume.name)
      fail(`${pod.spec.uid} ${site.path} was ${decision.event} with ${this.#node.ownerOf(filesystem)}`);
    if (decision.event === 'recovered' && filesystem.connection?.state !== 'live')
      fail(`${pod.spec.uid} ${site.path} was recovered, but its daemon is ${filesystem.connection?.state}`);
  }

  #mayReplace({ spec, volume }: SimulatedPod, kind: MountSite['kind']): void {
    if (!isReadOnly(volume)) fail(`${spec.uid} was recovered, but its volume is writable`);
    if (kind === 'container' && !isLabelled(spec)) fail(`${spec.uid} was entered without the label`);
    const state = this.#node.connectionOf(volume)?.state;
    if (state !== 'live') fail(`${spec.uid} was recovered while its daemon is ${state}`);
  }

  /** A read that a proof may rest on. */
  read({ site, user, device }: ReadRequest, answered: DeviceId): void {
    if (site.kind === 'source') return;
    if (site.kind === 'container' && user?.uid !== containerUser.uid) fail(`${site.podUid} was read as another user`);
    if (answered === device) this.#proven.add(siteKey(site));
  }

  aborted(): void {
    fail('a connection was aborted although no flag allows it');
  }

  /** The CSI service has reported that the volume is mounted. */
  published(pod: SimulatedPod): void {
    const seen = this.#node.at(targetOf(pod));
    if (seen === undefined || this.#node.volumeOf(seen.mount.filesystem) !== pod.volume.name)
      fail(`${pod.spec.uid} was published without its volume at the target path`);
  }

  /** The CSI service has reported that nothing is mounted any more. */
  unpublished(pod: SimulatedPod): Error | undefined {
    const seen = this.#node.at(targetOf(pod));
    if (seen?.mount.filesystem.fstype !== 'fuse.jindo') return undefined;
    return violation(`${pod.spec.uid} was unpublished, but its volume is mounted`);
  }

  /** All faults have ended some time ago. */
  atRest(deleting: ReadonlySet<SimulatedPod>): void {
    for (const pod of this.#node.pods) {
      if (deleting.has(pod)) fail(`${pod.spec.uid} cannot be deleted`);
      const target = this.#node.at(targetOf(pod));
      if (isReadOnly(pod.volume)) this.#reads(pod, 'the target path', target?.mount);
      if (pod.process === undefined) fail(`${pod.spec.uid} does not run`);
      if (pod.cover !== undefined || !isReadOnly(pod.volume) || !isLabelled(pod.spec)) continue;
      this.#reads(pod, '/data', this.#node.siteOf(pod)?.mount);
    }
  }

  #reads(pod: SimulatedPod, where: string, mount: VfsMount | undefined): void {
    const { filesystem } = mount ?? {};
    if (filesystem?.connection?.state !== 'live' || this.#node.volumeOf(filesystem) !== pod.volume.name)
      fail(
        `${pod.spec.uid} does not read at ${where}: it has ${filesystem === undefined ? 'nothing' : this.#node.ownerOf(filesystem)}, ${filesystem?.connection?.state}`,
      );
  }
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
