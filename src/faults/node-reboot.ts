import { type Fault, over } from './fault.ts';

export const nodeReboot: Fault = {
  name: 'node-reboot',
  title: 'the node loses power and comes back: the same pods with the same UIDs, and nothing is mounted',
  claims: ['L4'],
  expected:
    'publishing waits for the daemon, the empty directory is never bound, and the pod starts again with its files',
  isCrash: false,
  inject: async ({ cluster }) => over(await cluster.rebootNode()),
};
