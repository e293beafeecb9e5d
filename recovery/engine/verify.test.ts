import { expect, it } from 'vitest';
import type { DeviceId, LiveSource, MountSite, Nanoseconds } from './model.ts';
import type { ReadRequest, Result } from './ports.ts';
import { containerOf } from './testing/views.ts';
import { verify } from './verify.ts';

const source: LiveSource = { path: '/s', device: '0:51' as DeviceId, root: '/' };
const inside: MountSite = { kind: 'container', podUid: 'pod-1', container: 'app', pid: 1000, path: '/data' };
const user = { uid: 1000, gid: 100, groups: [5] };
const containers = [containerOf('pod-2', []), containerOf('pod-1', [], { user })];
const deadline = 9n as Nanoseconds;

async function answered(answer: Result<DeviceId>, site: MountSite = inside) {
  const asked: ReadRequest[] = [];
  const read = async (request: ReadRequest) => {
    asked.push(request);
    return answer;
  };
  return { failure: await verify({ read }, { containers }, { site, source }, deadline), asked };
}

it('is content with a read that the source itself answered, made as the user of the container', async () => {
  const { failure, asked } = await answered({ ok: true, value: source.device });
  expect(failure).toBeUndefined();
  expect(asked).toEqual([{ site: inside, user, device: source.device, deadline }]);
});

it('is not content with a read that another device answered', async () => {
  const { failure } = await answered({ ok: true, value: '8:1' as DeviceId });
  expect(failure).toMatchObject({ errno: 'ESTALE', step: 'verify-device', path: '/data' });
});

it('hands on why a read did not work', async () => {
  const failed = { errno: 'EACCES', call: 'openat', path: '/data/a', step: 'read-open' };
  expect((await answered({ ok: false, failure: failed })).failure).toBe(failed);
});

it('reads on the node as root', async () => {
  const target: MountSite = { kind: 'target', podUid: 'pod-1', path: '/t' };
  const { asked } = await answered({ ok: true, value: source.device }, target);
  expect(asked[0]).not.toHaveProperty('user');
});
