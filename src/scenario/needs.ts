import type { RunningCluster } from '../../clusters/cluster.ts';

const needs: Readonly<Record<string, { readonly has: (cluster: RunningCluster) => boolean; readonly reason: string }>> =
  {
    '@needs:kubectl': {
      has: ({ capabilities }) => capabilities.has('kubectl'),
      reason: 'needs kubectl and the DaemonSet csi-nodeplugin-fluid of a Kubernetes cluster',
    },
    '@needs:scaled-clock': {
      has: ({ capabilities }) => capabilities.has('scaled-clock'),
      reason: 'takes half an hour of a kubelet whose clock cannot be scaled',
    },
    '@needs:serverless': {
      has: () => false,
      reason: 'needs the sidecar injector of the serverless flow, which this version does not have',
    },
  };

/** Why a scenario with these tags cannot be run on the cluster; undefined where it can. */
export function missingFor(tags: readonly string[], cluster: RunningCluster): string | undefined {
  return tags.map((tag) => needs[tag]).find((need) => need && !need.has(cluster))?.reason;
}
