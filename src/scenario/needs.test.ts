import { expect, test } from 'vitest';
import { unfitFor, unpromisedIn } from './needs.ts';

const crash = { steps: ['FUSE recovery is enabled', 'the pod reads again'], tags: ['@C3'] };
const gateOff = { steps: ['FUSE recovery is disabled', 'nobody is recovered'], tags: ['@E1'] };
const sidecar = { steps: ['no node agent runs'], tags: ['@V3'] };

const all = {
  recovers: true,
  readWriteScope: 'volume',
  subPath: 'refuse',
  standby: true,
  explainsRefusals: true,
} as const;

test('an implementation that promises no recovery is spared what turns it on, and judged by the rest', () => {
  const reasons = [crash, gateOff, sidecar].map((outline) => unpromisedIn(outline, { ...all, recovers: false }));
  expect(reasons).toEqual(['the profile promises no recovery', undefined, 'the profile promises no recovery']);
});

const asking = ['@promises:no-read-write', '@promises:no-sub-path', '@promises:explanations', '@promises:standby'].map(
  (tag) => ({
    steps: [],
    tags: ['@L2', tag],
  }),
);

test('one that promises everything is judged by everything', () => {
  for (const outline of [crash, gateOff, sidecar, ...asking]) expect(unpromisedIn(outline, all)).toBeUndefined();
});

test.each([
  [{ ...all, readWriteScope: 'recover' as const }, 0, 'the profile promises to recover read-write datasets'],
  [{ ...all, subPath: 'unspecified' as const }, 1, 'the profile promises nothing about subPath'],
  [{ ...all, explainsRefusals: false }, 2, 'the profile does not promise to explain refusals'],
  [{ ...all, standby: false }, 3, 'the profile promises nothing about standbys'],
])('the promises %j select scenarios', (promises, skipped, reason) => {
  const reasons = asking.map((outline) => unpromisedIn(outline, promises));
  expect(reasons).toEqual(asking.map((_, index) => (index === skipped ? reason : undefined)));
  expect(unpromisedIn(asking[0] ?? crash, { ...all, readWriteScope: 'cluster' })).toBeUndefined();
});

test.each(['@needs:agent-death', '@needs:agent-flags'])('%s asks for an agent of ours', (tag) => {
  expect(unfitFor([tag], undefined)).toBeUndefined();
  expect(unfitFor([tag], ['/opt/agent'])).toBe("needs Rekindle's own agent, which the profile replaces");
  expect(unfitFor(['@C3'], ['/opt/agent'])).toBeUndefined();
});
