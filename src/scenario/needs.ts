import type { RunningCluster } from '../../clusters/cluster.ts';

const needs: Readonly<
  Record<string, { readonly has: (cluster: Pick<RunningCluster, 'capabilities'>) => boolean; readonly reason: string }>
> = {
  '@needs:kubectl': {
    has: ({ capabilities }) => capabilities.has('kubectl'),
    reason: 'needs kubectl on the PATH',
  },
  '@needs:scaled-clock': {
    has: ({ capabilities }) => capabilities.has('scaled-clock'),
    reason: 'takes half an hour of a kubelet whose clock cannot be scaled',
  },
  '@needs:quick-restarts': {
    has: ({ capabilities }) => capabilities.has('scaled-clock'),
    reason: "takes minutes of a real kubelet's back-off, which the scenario of L5 goes through",
  },
  '@needs:two-nodes': {
    has: ({ capabilities }) => capabilities.has('two-nodes'),
    reason: 'needs two nodes with an agent each (--nodes 2)',
  },
  '@needs:real-kubelet': {
    has: ({ capabilities }) => capabilities.has('real-kubelet'),
    reason: "needs Kubernetes' own kubelet",
  },
  '@needs:kubelet-restart': {
    has: ({ capabilities }) => capabilities.has('kubelet-restart'),
    reason: "needs a kubelet of Kubernetes' own, on a node that was made for the run",
  },
  '@needs:idmapped-fuse': {
    has: ({ capabilities }) => capabilities.has('idmapped-fuse'),
    reason: 'needs pods with users of their own, on nodes whose kernel can idmap a FUSE mount (Linux 6.12)',
  },
  '@needs:memory-cgroups': {
    has: ({ capabilities }) => capabilities.has('memory-cgroups'),
    reason: 'needs memory cgroups that can be written, as root has them',
  },
  '@needs:abort-connection': {
    has: ({ capabilities }) => capabilities.has('abort-connection'),
    reason: "needs a way to abort a FUSE connection from the node's side",
  },
  '@needs:agent-death': {
    has: ({ capabilities }) => capabilities.has('agent-death'),
    reason: 'needs an agent that can be made to end between two system calls',
  },
  '@needs:mount-beneath': {
    has: ({ capabilities }) => capabilities.has('mount-beneath'),
    reason: 'needs an agent that mounts beneath (Linux 6.5, and no lower --kernel-tier)',
  },
  '@needs:node-reboot': {
    has: ({ capabilities }) => capabilities.has('node-reboot'),
    reason: 'needs a node that may be switched off and on',
  },
  '@needs:told-daemon': {
    has: ({ capabilities }) => capabilities.has('told-daemon'),
    reason: 'needs the fake FUSE daemon, which can be told how to behave',
  },
  '@needs:store-faults': {
    has: ({ capabilities }) => capabilities.has('store-faults'),
    reason: 'needs a way to the object store that can be made to fail',
  },
};

/** Why a scenario with these tags cannot be run on the cluster; undefined where it can. */
export function missingFor(tags: readonly string[], cluster: Pick<RunningCluster, 'capabilities'>): string | undefined {
  return tags.map((tag) => needs[tag]).find((need) => need && !need.has(cluster))?.reason;
}

/** Why a scenario is not for an agent that is not Rekindle's own, as its command has it: it needs more than an agent has to be. */
export function unfitFor(tags: readonly string[], command: readonly string[] | undefined): string | undefined {
  const needsOurs = tags.includes('@needs:agent-death');
  return needsOurs && command !== undefined ? "needs Rekindle's own agent, ended between two system calls" : undefined;
}

/** Parts of a scenario that its steps and tags make known. */
export interface Outline {
  readonly steps: readonly string[];
  readonly tags: readonly string[];
}

/**
 * Why a scenario is not for an implementation that promises no recovery: it turns recovery on, or has a sidecar recover. The
 * others are, and such an implementation conforms by staying broken in them as documented.
 */
export function unpromisedIn({ steps, tags }: Outline, promises: { readonly recovers: boolean }): string | undefined {
  if (promises.recovers) return undefined;
  const turnsItOn = steps.some((text) => /^FUSE recovery is (enabled|turned on)/.test(text));
  const ofSidecars = tags.some((tag) => /^@V\d$/.test(tag));
  return turnsItOn || ofSidecars ? 'the profile promises no recovery' : undefined;
}
