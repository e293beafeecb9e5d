import { requireMember, type StoreTrouble } from '../../clusters/cluster.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { type Fault, lasting, momentary } from './fault.ts';

export const nodeReboot: Fault = {
  name: 'node-reboot',
  step: 'the node is switched off and on',
  title: 'the node loses power and comes back: the same pods with the same UIDs, and nothing is mounted',
  claims: ['L4'],
  expected:
    'publishing waits for the daemon, the empty directory is never bound, and the pod starts again with its files',
  isCrash: false,
  inject: async ({ cluster }) => momentary(await requireMember(cluster, 'rebootNode')()),
};

export const kubeletRestart: Fault = {
  name: 'kubelet-restart',
  step: 'the kubelet is restarted',
  title: 'the kubelet of the node is restarted, as by an upgrade, while the daemon is down',
  claims: ['L4', 'C3'],
  expected:
    'nothing is mounted and nothing claims a recovery; the pod reads again once the daemon is back, and is not restarted',
  isCrash: false,
  inject: async ({ cluster, daemon }) => momentary(await requireMember(cluster, 'restartKubelet')(daemon)),
};

/** Trouble of the object store behind the daemon, which itself continues. */
function storeTrouble({
  trouble,
  ...fault
}: Pick<Fault, 'name' | 'step' | 'title' | 'expected'> & { readonly trouble: StoreTrouble }): Fault {
  return {
    ...fault,
    claims: ['L4'],
    isCrash: false,
    async inject({ store, daemon }) {
      if (!store) throw new Error(`the dataset of ${daemon.pod} has no object store that can be made to fail`);
      const at = monotonicNow();
      const injected = await store.trouble(trouble);
      return lasting(at, () => injected[Symbol.asyncDispose]());
    },
  };
}

export const storeDown = storeTrouble({
  name: 'store-down',
  step: 'the object store is unreachable',
  title: 'the object store is unreachable; the daemon lives and answers with errors',
  expected: 'a living mount is left alone and nothing claims a recovery; the pod reads again when the store is back',
  trouble: { kind: 'down' },
});

export const storeSlow = storeTrouble({
  name: 'store-slow',
  step: 'the object store is slow',
  title: 'each answer of the object store comes 300 ms later, so that the daemon is slow and not hung',
  expected: 'a slow mount is left alone, and a crash meanwhile is recovered from as ever',
  trouble: { kind: 'slow', delayMs: 300 },
});
