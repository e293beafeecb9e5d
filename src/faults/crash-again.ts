import { type Fault, over } from './fault.ts';

/** The daemon dies, and dies again as soon as it is ready, so many times in all. */
function crashAgain(fault: Pick<Fault, 'name' | 'title' | 'claims'> & { readonly times: number }): Fault {
  return {
    ...fault,
    expected: 'nothing claims a recovery that did not last; in the end the pod reads again, and no mount is left over',
    isCrash: true,
    async inject({ cluster, daemon, daemonReady, struck }) {
      let at = await cluster.kill(daemon, 'SIGKILL');
      for (let crash = 1; crash < fault.times; crash++) {
        struck(at);
        await daemonReady();
        at = await cluster.kill(daemon, 'SIGKILL');
      }
      return over(at);
    },
  };
}

export const crashDuringRecovery = crashAgain({
  name: 'crash-during-recovery',
  title: 'the daemon dies again in the very moment in which the agent works on the recovery',
  claims: ['C3', 'L4'],
  times: 2,
});

export const crashLoop = crashAgain({
  name: 'crash-loop',
  title: 'the daemon dies five times, each time as soon as it is ready, so that the kubelet waits longer and longer',
  claims: ['C3', 'L4', 'L5'],
  times: 5,
});
