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
