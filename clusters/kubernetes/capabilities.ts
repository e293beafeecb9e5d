import type { Capability } from '../cluster.ts';

/** What every Kubernetes cluster can do that the node program runs in. */
export const always: readonly Capability[] = [
  'agent-control',
  'signal-daemon',
  'mount-tables',
  'abort-connection',
  'store-faults',
  'real-kubelet',
];

/** What it can do on some machines; found out when it starts. */
export const onSomeMachines: readonly Capability[] = [
  'memory-cgroups',
  'mount-beneath',
  'kubectl',
  'two-nodes',
  'kubelet-restart',
  'told-daemon',
  'idmapped-fuse',
];
