import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { isNormalised } from '../../../recovery/csi/volume-source.ts';
import type { NodeCondition } from './condition.ts';

export const kubeletRoot: NodeCondition = {
  name: 'kubelet-root',
  title: "the kubelet's directory is elsewhere, and the agent is deployed with its path",
  reports: ['k3s#840', 'k0s#1842', 'secrets-store-csi-driver#206', 'fluid#3327'],
  value: {
    name: 'PATH',
    default: '/data/kubelet',
    isValid: (path) => isNormalised(path) && !leadsThroughLinks(path),
    differences: (path) => ({ kubeletRoot: path }),
  },
};

export const kubeletRootSymlink: NodeCondition = {
  name: 'kubelet-root-symlink',
  title: "/var/lib/kubelet is a symbolic link to the kubelet's directory, and the agent knows only the link",
  reports: ['microk8s#5125', 'bottlerocket#2218'],
  differences: { hasKubeletLink: true },
};

/** Directories of the node that containers do not share, so that no mount shows in all of them. */
const unshared = /^\/(data|mnt|run|var)\//;

export const mountRoot: NodeCondition = {
  name: 'mount-root',
  title: 'the FUSE daemons of datasets mount below another directory, and the agent is deployed with its path',
  reports: ['fluid#222'],
  value: {
    name: 'PATH',
    default: '/data/runtime-mnt',
    isValid: (path) => isNormalised(path) && unshared.test(path) && !leadsThroughLinks(path),
    differences: (path) => ({ mountRoot: path }),
  },
};

export const readOnlyRoot: NodeCondition = {
  name: 'read-only-root',
  title:
    'the root directory of the node is read-only, so that datasets are mounted below /var, as on COS, Bottlerocket and Talos',
  reports: ['fluid#222'],
  differences: { isRootReadOnly: true, mountRoot: '/var/lib/runtime-mnt' },
};

/** Such a path may lead to a directory that the node shares with this machine. */
function leadsThroughLinks(path: string): boolean {
  if (path === '/') return false;
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink || leadsThroughLinks(dirname(path));
}

export const kubeletNamespace: NodeCondition = {
  name: 'kubelet-namespace',
  title:
    'the kubelet has a mount namespace of its own, and another one after each restart, as if it ran in a container',
  reports: ['talos#13053', 'rook#3923'],
  differences: { kubeletProcess: 'own-namespace' },
};

export const noKubeletProcess: NodeCondition = {
  name: 'no-kubelet-process',
  title: 'no process is called kubelet, as if it were part of another program',
  reports: ['security-scan#219'],
  differences: { kubeletProcess: 'none' },
};

export const slowTermination: NodeCondition = {
  name: 'slow-termination',
  title: 'applications ignore SIGTERM, so that a deleted pod runs until the end of its grace period',
  reports: ['mountpoint-s3-csi-driver#607'],
  differences: { isTerminationSlow: true },
};

export const volumeDataLost: NodeCondition = {
  name: 'volume-data-lost',
  title: "the kubelet's vol_data.json beside each target path is empty, as after a power failure",
  reports: ['kubernetes#108217', 'kubernetes#85280'],
  differences: { volumeData: 'empty' },
};
