import { expect, it } from 'vitest';
import type { DeviceId, LiveSource, MountSite, Nanoseconds } from './model.ts';
import type { ReadAnswer, ReadRequest, Result } from './ports.ts';
import { readAsConsumer } from './prove.ts';

import { containerOf, observationWith } from './testing/observations.ts';

const source: LiveSource = { path: '/s', device: '0:51' as DeviceId, root: '/' };
const inside: MountSite = {
  kind: 'container',
  podUid: 'pod-1',
  container: 'app',
  mountNamespace: 'mnt:[1]',
  pid: 1000,
  path: '/data',
};
const user = { uid: 1000, gid: 100, groups: [5] };
const containers = [containerOf('pod-2', []), containerOf('pod-1', [], { user })];
const { snapshot } = observationWith({ mounts: [], volumes: [], containers });
const deadline = 9n as Nanoseconds;

async function answered(answer: Result<ReadAnswer>, site: MountSite = inside) {
  const asked: ReadRequest[] = [];
  const read = async (request: ReadRequest) => {
    asked.push(request);
    return answer;
  };
  return { result: await readAsConsumer({ read }, snapshot, { site, source, deadline }), asked };
}

it('accepts a read as the user of the container that the source itself answered', async () => {
  const { result, asked } = await answered({ ok: true, value: { device: source.device } });
  expect(result.ok).toBe(true);
  expect(asked).toEqual([{ site: inside, user, device: source.device, deadline }]);
});

it('does not read as root in a container that is not known at the moment', async () => {
  const { result, asked } = await answered(
    { ok: true, value: { device: source.device } },
    {
      ...inside,
      mountNamespace: 'mnt:[9]',
    },
  );
  expect(asked).toEqual([]);
  expect(result).toMatchObject({ ok: false, failure: { errno: 'ESRCH', step: 'enter' } });
});

it('rejects a read that another device answered', async () => {
  const { result } = await answered({ ok: true, value: { device: '8:1' as DeviceId } });
  expect(result).toMatchObject({ ok: false, failure: { errno: 'ESTALE', step: 'verify-device', path: '/data' } });
});

it('passes on why a read failed', async () => {
  const failed = { errno: 'EACCES', call: 'openat', path: '/data/a', step: 'read-open' };
  expect((await answered({ ok: false, failure: failed })).result).toEqual({ ok: false, failure: failed });
});

it('reads on the node as root', async () => {
  const target: MountSite = { kind: 'target', podUid: 'pod-1', path: '/t' };
  const { asked } = await answered({ ok: true, value: { device: source.device } }, target);
  expect(asked[0]).not.toHaveProperty('user');
});
