import type { StoreTrouble } from '../../clusters/cluster.ts';
import { type Fault, now, until } from './fault.ts';

/** A trouble of the object store behind the daemon, which itself goes on. */
function storeTrouble(fault: Pick<Fault, 'name' | 'title' | 'expected'> & { readonly trouble: StoreTrouble }): Fault {
  return {
    ...fault,
    claims: ['L4'],
    isCrash: false,
    async inject({ store, daemon }) {
      if (!store) throw new Error(`the dataset of ${daemon.pod} does not read through a store that can fail`);
      const at = now();
      const trouble = await store.trouble(fault.trouble);
      return until(at, () => trouble[Symbol.asyncDispose]());
    },
  };
}

export const storeDown = storeTrouble({
  name: 'store-down',
  title: 'the object store is not to be reached; the daemon lives and answers with errors',
  expected: 'a living mount is left alone and nothing claims a recovery; the pod reads again when the store is back',
  trouble: { kind: 'down' },
});

export const storeSlow = storeTrouble({
  name: 'store-slow',
  title: 'each answer of the object store comes 300 ms later, so that the daemon is slow and not hung',
  expected: 'a slow mount is left alone, and a crash meanwhile is recovered from as ever',
  trouble: { kind: 'slow', delayMs: 300 },
});
