import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';

/** The files by which the agent knows a container, as a kubelet binds them into each. */
const kubeletFile = /\/pods\/[^/]+\/(etc-hosts|containers\/[^/]+\/[^/]+)$/;

/**
 * Where a mount table has files of a kubelet: what a sandbox that runs inside a pod (a Kubernetes Job, say) inherits from
 * that pod. Its own containers would be taken for the pod's.
 */
export function mountsOfOuterKubelet(mountinfo: string): readonly string[] {
  return parseMountinfo(mountinfo)
    .filter(({ root }) => kubeletFile.test(root))
    .map(({ mountPoint }) => mountPoint);
}
