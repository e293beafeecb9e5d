import type { Capability } from '../cluster.ts';

/** What every sandbox can do. */
export const always: readonly Capability[] = [
  'agent-control',
  'signal-daemon',
  'mount-tables',
  'scaled-clock',
  'abort-connection',
  'agent-death',
  'node-reboot',
  'store-faults',
];

/** What it can do on some machines; found out when it starts. */
export const onSomeMachines: readonly Capability[] = [
  'cpu-limit',
  'kubectl',
  'memory-cgroups',
  'mount-beneath',
  'told-daemon',
];
