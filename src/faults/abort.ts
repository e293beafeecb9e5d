import { type Fault, over } from './fault.ts';

export const abort: Fault = {
  name: 'abort',
  title: "the kernel aborts the daemon's connection, as an administrator does through fusectl when it hangs",
  claims: ['C3'],
  expected: 'the daemon ends because its session has; the pod sees errors, then its files, and is not restarted',
  isCrash: true,
  inject: async ({ cluster, daemon }) => over(await cluster.abortConnection(daemon)),
};
