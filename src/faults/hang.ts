import { type Fault, until } from './fault.ts';

/** A daemon that is there and answers nothing. */
export const hang: Fault = {
  name: 'hang',
  title: 'SIGSTOP to the daemon: its mount is neither dead nor alive, and every call on it waits',
  claims: ['L4'],
  expected:
    'nothing is mounted and nothing claims a recovery while it hangs, and the pod reads on when it goes on; with --abort-hung-after it is treated as dead after that time',
  isCrash: false,
  goesWithAny: true,
  async inject({ cluster, daemon }) {
    const at = await cluster.kill(daemon, 'SIGSTOP');
    return until(at, () => cluster.kill(daemon, 'SIGCONT').catch(() => {})); // It may have been ended meanwhile.
  },
};

/** Works with a daemon that was told to change its ways on SIGUSR2. */
export const hangOneOperation: Fault = {
  name: 'hang-operation',
  title: 'the daemon stops to answer one operation and goes on with all others, as after a deadlock in one handler',
  claims: ['L4'],
  expected:
    'it answers, so it is not dead: nothing is mounted and nothing claims a recovery; the pod reads again after it is killed and back',
  isCrash: false,
  async inject({ cluster, daemon }) {
    const at = await cluster.kill(daemon, 'SIGUSR2');
    return until(at, () => cluster.kill(daemon, 'SIGKILL'));
  },
};
