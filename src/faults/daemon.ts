import { CoreV1Api } from '@kubernetes/client-node';
import { monotonicNow } from '../../recovery/clock.ts';
import { type Fault, lasting, momentary } from './fault.ts';

/** A real crash: the daemon ends at once and leaves its mount behind, dead. */
export const sigkill: Fault = {
  name: 'sigkill',
  step: 'the FUSE daemon is killed from the node',
  title: 'SIGKILL from the node, as the OOM killer sends it',
  claims: ['C3'],
  expected: 'the pod sees errors, then its files, and is not restarted',
  isCrash: true,
  inject: async ({ cluster, daemon }) => momentary(await cluster.kill(daemon, 'SIGKILL')),
};

/** The documented crash: SIGTERM to process 1 from inside, which works because the daemon handles it. */
export const kill1: Fault = {
  name: 'kill-1',
  step: '"kill 1" is run in the FUSE pod',
  title: '`kill 1` inside the FUSE container, as documented (SIGTERM, which the daemon handles)',
  claims: ['C2', 'C3'],
  expected: 'the pod sees errors, then its files, and is not restarted, whether the daemon unmounts or not',
  isCrash: true,
  async inject({ cluster, daemon }) {
    // Read before the call: an API server answers long after the signal was sent.
    const at = monotonicNow();
    const { exitCode, stderr } = await cluster.exec(daemon, ['bash', '-c', 'kill 1']);
    // The end of process 1 may end the shell before it reports success.
    if (exitCode !== 0 && exitCode !== null) throw new Error(`kill 1 in ${daemon.pod} failed: ${stderr.trim()}`);
    return momentary(at);
  },
};

export const oom: Fault = {
  name: 'oom',
  step: "the FUSE daemon's memory runs out",
  title: 'the kernel ends the daemon because its memory cgroup is full, which is the crash that the document names',
  claims: ['C3', 'L1'],
  expected: 'as with SIGKILL: the pod sees errors, then its files, and is not restarted',
  isCrash: true,
  inject: async ({ cluster, daemon }) => momentary(await cluster.outOfMemory(daemon)),
};

export const abort: Fault = {
  name: 'abort',
  step: "the FUSE daemon's connection is aborted",
  title: "the kernel aborts the daemon's connection, as an administrator does through fusectl when it hangs",
  claims: ['C3'],
  expected: 'the daemon ends because its session has; the pod sees errors, then its files, and is not restarted',
  isCrash: true,
  inject: async ({ cluster, daemon }) => momentary(await cluster.abortConnection(daemon)),
};

export const podDelete: Fault = {
  name: 'pod-delete',
  step: 'the FUSE pod is deleted',
  title: 'the FUSE pod is deleted, and its controller creates another one',
  claims: ['C3', 'L4'],
  expected: 'the pod sees errors, then its files from the new FUSE pod, and is not restarted',
  isCrash: true,
  async inject({ cluster, daemon: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const at = monotonicNow();
    await api.deleteNamespacedPod({ name: pod, namespace, gracePeriodSeconds: 1 });
    return momentary(at);
  },
};

/** The daemon dies, and dies again after each of the delays, which count from its being ready. */
function crashAgain({
  delaysMs,
  ...fault
}: Pick<Fault, 'name' | 'step' | 'title' | 'claims'> & { readonly delaysMs: readonly number[] }): Fault {
  return {
    ...fault,
    expected: 'nothing claims a recovery that did not work; in the end the pod reads again, and no mount is left over',
    // On a real kubelet's clock it would take minutes.
    isCrash: false,
    async inject({ cluster, daemon, recordInjection }) {
      let at = await cluster.kill(daemon, 'SIGKILL');
      for (const delayMs of delaysMs) {
        recordInjection(at);
        at = await cluster.killWhenReady(daemon, delayMs);
      }
      return momentary(at);
    },
  };
}

/** The agent needs some 3 ms for one pod after the daemon is ready. */
export const crashDuringRecovery = crashAgain({
  name: 'crash-during-recovery',
  step: 'the FUSE daemon dies and dies again as soon as it is back',
  title: 'the daemon dies again while the agent works on the recovery',
  claims: ['C3', 'L4'],
  delaysMs: [0, 2],
});

export const crashLoop = crashAgain({
  name: 'crash-loop',
  step: 'the FUSE daemon dies again and again',
  title: 'the daemon dies five times, each time soon after it is ready, so that the kubelet waits longer each time',
  claims: ['C3', 'L4', 'L5'],
  delaysMs: [1, 5, 50, 100],
});

export const hang: Fault = {
  name: 'hang',
  step: 'the FUSE daemon hangs',
  title: 'SIGSTOP to the daemon: its mount is neither dead nor alive, and every call on it waits',
  claims: ['L4'],
  expected:
    'nothing is mounted and nothing claims a recovery while it hangs, and the pod reads on when it continues; with --abort-hung-after it is treated as dead after that time',
  isCrash: false,
  goesWithAny: true,
  async inject({ cluster, daemon }) {
    const at = await cluster.kill(daemon, 'SIGSTOP');
    return lasting(at, () => cluster.kill(daemon, 'SIGCONT').catch(() => {})); // It may have been ended meanwhile.
  },
};

/** Needs a daemon that changes its behaviour on SIGUSR2. */
export const hangOperation: Fault = {
  name: 'hang-operation',
  step: 'the FUSE daemon stops answering one operation',
  title: 'the daemon stops answering one operation and answers all others, as after a deadlock in one handler',
  claims: ['L4'],
  expected:
    'it answers, so it is not dead: nothing is mounted and nothing claims a recovery; the pod reads again after it is killed and back',
  isCrash: false,
  async inject({ cluster, daemon }) {
    const at = await cluster.kill(daemon, 'SIGUSR2');
    return lasting(at, () => cluster.kill(daemon, 'SIGKILL'));
  },
};
