import { type Fault, over } from './fault.ts';

/** A real crash: the daemon ends at once, and its mount stays behind dead. */
export const sigkill: Fault = {
  name: 'sigkill',
  title: 'SIGKILL from the node, as the OOM killer sends it',
  claims: ['C3'],
  expected: 'the pod sees errors, then its files, and is not restarted',
  isCrash: true,
  inject: async ({ cluster, daemon }) => over(await cluster.kill(daemon, 'SIGKILL')),
};
