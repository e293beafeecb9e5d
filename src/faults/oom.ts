import { type Fault, over } from './fault.ts';

export const oom: Fault = {
  name: 'oom',
  title: 'the kernel ends the daemon because its memory cgroup is full, which is the crash that the document names',
  claims: ['C3', 'L1'],
  expected: 'as with SIGKILL: the pod sees errors, then its files, and is not restarted',
  isCrash: true,
  inject: async ({ cluster, daemon }) => over(await cluster.outOfMemory(daemon)),
};
