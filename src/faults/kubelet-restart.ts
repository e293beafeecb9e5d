import { type Fault, over } from './fault.ts';

export const kubeletRestart: Fault = {
  name: 'kubelet-restart',
  title: 'the kubelet of the node is restarted, as by an upgrade, while the daemon is down',
  claims: ['L4', 'C3'],
  expected:
    'nothing is mounted and nothing claims a recovery; the pod reads again once the daemon is back, and is not restarted',
  isCrash: false,
  inject: async ({ cluster, daemon }) => over(await cluster.restartKubelet(daemon)),
};
