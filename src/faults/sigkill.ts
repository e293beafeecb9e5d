import type { Fault } from './fault.ts';

/** A real crash: the daemon ends at once, as by the OOM killer, and its mount stays behind dead. */
export const sigkill: Fault = {
  name: 'sigkill',
  title: 'SIGKILL from the node, as the OOM killer sends it',
  claims: ['C3'],
  inject: ({ cluster, daemon }) => cluster.kill(daemon, 'SIGKILL'),
};
