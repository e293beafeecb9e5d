import type { Capability } from './cluster.ts';

interface ClusterCapabilities {
  readonly always: readonly Capability[];
  /** Depends on the machine, and is known once the cluster has started. */
  readonly onSomeMachines: readonly Capability[];
}

export const sandboxCapabilities: ClusterCapabilities = {
  always: [
    'agent-control',
    'signal-daemon',
    'mount-tables',
    'scaled-clock',
    'abort-connection',
    'agent-death',
    'node-reboot',
    'kubelet-restart',
    'store-faults',
  ],
  onSomeMachines: ['cpu-limit', 'kubectl', 'memory-cgroups', 'mount-beneath', 'told-daemon'],
};

export const kubernetesCapabilities: ClusterCapabilities = {
  always: ['agent-control', 'signal-daemon', 'mount-tables', 'abort-connection', 'store-faults', 'real-kubelet'],
  onSomeMachines: [
    'memory-cgroups',
    'mount-beneath',
    'kubectl',
    'two-nodes',
    'kubelet-restart',
    'told-daemon',
    'idmapped-fuse',
  ],
};
