import { beforeEach, describe, expect, it } from 'vitest';
import { createModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import { MNT_DETACH, MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REMOUNT } from '../../../recovery/linux/syscalls.ts';
import { Invariants } from './invariants.ts';
import { ModelledNode, type SimulatedPod } from './modelled-node.ts';

describe('the invariants of a simulated node', () => {
  let node: ModelledNode;
  let pod: SimulatedPod;
  let invariants: Invariants;
  let sys: ModelledSyscalls;

  /** Mounts the source of a volume at the pod's target path, as a publish does. */
  function publish(volume: number, flags: number): void {
    const [{ target }] = pod.mounts;
    sys.mkdir(target);
    sys.mount({ source: node.volumes[volume]?.sources[0] ?? '', target, fstype: null, flags: MS_BIND });
    sys.mount({ source: null, target, fstype: null, flags: MS_PRIVATE });
    sys.mount({ source: null, target, fstype: null, flags: MS_REMOUNT | MS_BIND | flags });
  }

  beforeEach(() => {
    node = new ModelledNode(createModelledClock(), 2);
    invariants = new Invariants(node, '6.5');
    sys = new ModelledSyscalls({ kernel: node.kernel });
    for (const volume of node.volumes) {
      node.serve(volume, 'active', false).state = 'live';
    }
    const [volume] = node.volumes;
    if (volume !== undefined) pod = node.createPod(volume, { propagation: 'slave', label: 'true', shape: 'plain' });
  });

  it('accept the volume, mounted read-only', () => {
    publish(0, MS_RDONLY);
    node.startContainer(pod);
    invariants.check();
    invariants.published(pod, pod.mounts[0], true);
    expect(() => invariants.published(pod, pod.mounts[0], false)).toThrow('with other access than requested');
    invariants.atRest(new Set());
  });

  it('refuse the data of another volume', () => {
    publish(1, MS_RDONLY);
    expect(() => invariants.check()).toThrow('target path has the data of volume-1, not of volume-0');
    expect(() => invariants.published(pod, pod.mounts[0], true)).toThrow('was published without its volume');
  });

  it('refuse a writable mount', () => {
    publish(0, 0);
    expect(() => invariants.check()).toThrow('target path is writable');
  });

  it('refuse a loss of what a tenant has mounted', () => {
    publish(0, MS_RDONLY);
    node.startContainer(pod);
    node.mountInContainer(pod, 'cover');
    node.mountInContainer(pod, 'inside');
    invariants.check();
    pod.process?.sys.umount('/data', MNT_DETACH);
    expect(() => invariants.check()).toThrow('lost a mount of its own');
  });

  it('refuse a pod at rest that does not read', () => {
    publish(0, MS_RDONLY);
    node.startContainer(pod);
    const [volume] = node.volumes;
    if (volume !== undefined) node.connectionOf(volume, 'active')?.crash();
    expect(() => invariants.atRest(new Set())).toThrow('does not read at the target path: it has volume-0#1, dead');
  });

  it('accept a dead mount of an earlier agent only once an agent has started that cannot know whose it is', () => {
    const [volume] = node.volumes;
    if (volume === undefined) throw new Error('the node has no volume');
    const crash = () => node.connectionOf(volume, 'active')?.crash();
    publish(0, MS_RDONLY);
    pod = Object.assign(pod, { propagation: 'private' });
    node.startContainer(pod);
    crash();
    node.serve(volume, 'active', false).state = 'live';
    node.stackAsEarlierAgent(pod);
    crash();
    node.serve(volume, 'active', false).state = 'live';
    for (let layer = 0; layer < 2; layer++) sys.umount(pod.mounts[0].target, MNT_DETACH);
    publish(0, MS_RDONLY);
    expect(() => invariants.atRest(new Set())).toThrow('does not read at /data: it has volume-0#5, dead');
    node.agentStarts();
    invariants.atRest(new Set());
  });

  it('refuse more layers than a site may have', () => {
    for (let layer = 0; layer < 3; layer++) publish(0, MS_RDONLY);
    expect(() => invariants.check()).toThrow('has 3 layers');
  });

  it('refuse an unpublish that leaves the volume mounted', () => {
    publish(0, MS_RDONLY);
    expect(() => invariants.unpublished(pod, pod.mounts[0])).toThrow('was unpublished, but its volume is mounted');
  });
});
