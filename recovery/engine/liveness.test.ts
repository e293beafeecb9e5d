import { expect, it } from 'vitest';
import { createLivenessCache, type LivenessQuestion } from './liveness.ts';
import type { DeviceId, Nanoseconds } from './model.ts';
import type { KernelPort } from './ports.ts';

type Answer = Awaited<ReturnType<KernelPort['ask']>>;

it('a device keeps its latest answer if a later question is unsuccessful', async () => {
  const device = '0:42' as DeviceId;
  const question: LivenessQuestion = { device, site: { kind: 'source', path: '/runtime-mnt/demo' } };
  const answers = ['live', 'unknown', 'dead', 'unknown'].map((status) => ({ status }) as Answer);
  const deadline = 1n as Nanoseconds;
  const cache = createLivenessCache({
    kernel: { ask: async () => answers.shift() ?? ({ status: 'unknown' } as Answer) },
    clock: { now: () => 0n as Nanoseconds },
    keptUntil: () => undefined,
    readDeadline: deadline,
    firstReadDeadline: deadline,
  });
  const known: unknown[] = [];
  for (let asked = 0; asked < 4; asked++) {
    await cache.ask(question);
    known.push(cache.get(device)?.status);
  }
  expect(known).toEqual(['live', 'live', 'dead', 'dead']);
});

it('a question that was asked too early is asked once more, unless the answer is final', async () => {
  const device = '0:42' as DeviceId;
  const question: LivenessQuestion = { device, site: { kind: 'source', path: '/runtime-mnt/demo' } };
  const asked: PromiseWithResolvers<Answer>[] = [];
  let now = 0n;
  const cache = createLivenessCache({
    kernel: {
      ask() {
        const answer = Promise.withResolvers<Answer>();
        asked.push(answer);
        return answer.promise;
      },
    },
    clock: { now: () => now++ as Nanoseconds },
    keptUntil: () => undefined,
    readDeadline: 1n as Nanoseconds,
    firstReadDeadline: 1n as Nanoseconds,
  });
  const early = cache.ask(question);
  const late = cache.ask(question, now++ as Nanoseconds);
  expect(asked).toHaveLength(1);
  asked[0]?.resolve({ status: 'live' });
  expect(await early).toEqual({ status: 'live' });
  await expect.poll(() => asked.length).toBe(2);
  const again = cache.ask(question);
  asked[1]?.resolve({ status: 'dead', errno: 'ENOTCONN' });
  expect([await late, await again]).toMatchObject([{ status: 'dead' }, { status: 'dead' }]);
  const before = cache.ask(question);
  const final = cache.ask(question, now++ as Nanoseconds);
  asked[2]?.resolve({ status: 'dead', errno: 'ENOTCONN' });
  expect([await before, await final]).toMatchObject([{ status: 'dead' }, { status: 'dead' }]);
  expect(asked).toHaveLength(3);
});
