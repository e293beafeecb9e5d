import { type Fault, over } from './fault.ts';

/** The daemon dies, and dies again so many milliseconds after it is ready, for each of the given times. */
function crashAgain(fault: Pick<Fault, 'name' | 'title' | 'claims'> & { readonly afterMs: readonly number[] }): Fault {
  return {
    ...fault,
    expected: 'nothing claims a recovery that did not work; in the end the pod reads again, and no mount is left over',
    // By the kubelet's own clock it would take minutes.
    isCrash: false,
    async inject({ cluster, daemon, struck }) {
      let at = await cluster.kill(daemon, 'SIGKILL');
      for (const delayMs of fault.afterMs) {
        struck(at);
        at = await cluster.killWhenReady(daemon, delayMs);
      }
      return over(at);
    },
  };
}

/** The agent is done with one pod some 3 ms after the daemon is ready. */
export const crashDuringRecovery = crashAgain({
  name: 'crash-during-recovery',
  title: 'the daemon dies again in the very moment in which the agent works on the recovery',
  claims: ['C3', 'L4'],
  afterMs: [0, 2],
});

export const crashLoop = crashAgain({
  name: 'crash-loop',
  title: 'the daemon dies five times, each time soon after it is ready, so that the kubelet waits longer and longer',
  claims: ['C3', 'L4', 'L5'],
  afterMs: [1, 5, 50, 100],
});
