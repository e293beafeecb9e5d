import type { ContainerRef } from '../../clusters/cluster.ts';
import { lastSeen } from './last-seen.ts';
import type { Objects } from './objects.ts';
import { podState } from './pod-state.ts';
import type { Waiting } from './waiting.ts';

interface Wanted {
  readonly namespace: string;
  readonly dataset: string;
  /** Any where it is not given. */
  readonly node: string | undefined;
}

/** The daemon of a dataset on a node, once its pod is Running. */
export async function runningDaemon(
  { objects, waiting }: { readonly objects: Objects; readonly waiting: Waiting },
  { namespace, dataset, node }: Wanted,
): Promise<ContainerRef> {
  const [pod] = await waiting.poll({
    what: `the FUSE pod of ${dataset} is Running`,
    look: async () =>
      (await objects.listPods(`role=jindofs-fuse,release=${dataset}`)).filter(
        ({ metadata, spec }) =>
          metadata?.deletionTimestamp === undefined && (node === undefined || spec?.nodeName === node),
      ),
    until: (pods) => pods[0]?.status?.phase === 'Running',
    say: (pods) => (pods[0] ? podState(pods[0]) : `no FUSE pod; ${lastSeen(waiting.history)}`),
  });
  return { namespace, pod: pod?.metadata?.name ?? '', container: 'jindofs-fuse' };
}
