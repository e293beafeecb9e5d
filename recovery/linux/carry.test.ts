import { expect, it } from 'vitest';
import type { Mount } from '../engine/model.ts';
import { reachInner } from './carry.ts';
import type { Descriptors, KernelContext } from './context.ts';
import { ok } from './result.ts';

const mount = { id: 7, device: '0:7', mountPoint: '/data/cache' } as Mount;
const gaveUp = { ok: false, failure: { errno: 'EAGAIN', call: 'openat2', path: 'cache', step: '' } };

/** A kernel that gives up the given number of times before it opens a path from its cache. */
function reach(times: number) {
  let given = 0;
  const sys = {
    openat2: () => (given++ < times ? gaveUp : ok(3)),
    identify: () => ok({ mountId: mount.id, device: mount.device }),
    cloneTree: () => ok(4),
    close: () => {},
  };
  const fds = { own: (result: unknown) => result };
  const inner = { mount, relative: 'cache', inside: [] };
  return reachInner({ sys } as unknown as KernelContext, fds as unknown as Descriptors, 2, [inner]);
}

it('reaches an inner mount although other processes mount during the look-up', () => {
  expect(reach(5)).toMatchObject({ carried: [{ path: 'cache', tree: 4 }], unreached: [] });
});

it('does not reach one whose path is no longer cached', () => {
  expect(reach(Number.POSITIVE_INFINITY)).toMatchObject({ carried: [], unreached: [{ path: 'cache' }] });
});
