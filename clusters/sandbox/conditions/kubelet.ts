import type { NodeCondition } from './condition.ts';

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

export const volumeDataLost: NodeCondition = {
  name: 'volume-data-lost',
  title: "the kubelet's vol_data.json beside each target path is empty, as after a power failure",
  reports: ['kubernetes#108217', 'kubernetes#85280'],
  differences: { volumeData: 'empty' },
};
