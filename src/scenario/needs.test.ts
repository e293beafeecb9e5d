import { expect, test } from 'vitest';
import type { Profile } from '../profiles/profile.ts';
import { unfitFor, unpromisedIn } from './needs.ts';

const crash = { steps: ['FUSE recovery is enabled', 'the pod reads again'], tags: ['@C3'] };
const gateOff = { steps: ['FUSE recovery is disabled', 'nobody is recovered'], tags: ['@E1'] };
const sidecar = { steps: ['no node agent runs'], tags: ['@V3'] };

const all = {
  class: 'enter',
  readWriteScope: 'volume',
  subPath: 'refuse',
  writes: 'durable',
  standby: true,
  explainsRefusals: true,
} as const;

const profile = (promises: Partial<Profile['promises']> = {}) =>
  ({ promises: { ...all, ...promises }, gate: 'FuseRecovery' }) as const;

test('an implementation that promises no recovery is spared what turns it on, and judged by the rest', () => {
  const reasons = [crash, gateOff, sidecar].map((outline) => unpromisedIn(outline, profile({ class: 'none' })));
  expect(reasons).toEqual(['the profile promises no recovery', undefined, 'the profile promises no recovery']);
});

const asking = ['@promises:no-read-write', '@promises:no-sub-path', '@promises:explanations', '@promises:standby'].map(
  (tag) => ({
    steps: [],
    tags: ['@L2', tag],
  }),
);

test('one that promises everything is judged by everything', () => {
  for (const outline of [crash, gateOff, sidecar, ...asking]) expect(unpromisedIn(outline, profile())).toBeUndefined();
});

test.each([
  [{ readWriteScope: 'recover' as const }, 0, 'the profile promises to recover read-write datasets'],
  [{ subPath: 'unspecified' as const }, 1, 'the profile promises nothing about subPath'],
  [{ explainsRefusals: false }, 2, 'the profile does not promise to explain refusals'],
  [{ standby: false }, 3, 'the profile promises nothing about standbys'],
])('the promises %j select scenarios', (promises, skipped, reason) => {
  const reasons = asking.map((outline) => unpromisedIn(outline, profile(promises)));
  expect(reasons).toEqual(asking.map((_, index) => (index === skipped ? reason : undefined)));
  expect(unpromisedIn(asking[0] ?? crash, profile({ readWriteScope: 'cluster' }))).toBeUndefined();
});

test.each([
  ['@promises:sub-path', { subPath: 'recover' as const }, 'the profile does not promise to recover pods with subPath'],
  ['@promises:durable-writes', { writes: 'durable' as const }, 'the profile promises nothing about writes'],
] as const)('%s asks for a promise', (tag, promise, reason) => {
  const outline = { steps: [], tags: [tag] };
  const without = profile({ subPath: 'unspecified', writes: 'unspecified' });
  expect(unpromisedIn(outline, without)).toBe(reason);
  expect(unpromisedIn(outline, profile(promise))).toBeUndefined();
});

test.each(['@needs:agent-death', '@needs:agent-flags'])('%s asks for an agent of ours', (tag) => {
  expect(unfitFor([tag], undefined)).toBeUndefined();
  expect(unfitFor([tag], ['/opt/agent'])).toBe("needs Rekindle's own agent, which the profile replaces");
  expect(unfitFor(['@C3'], ['/opt/agent'])).toBeUndefined();
});

const volume = { driver: 'x', objects: [], source: {} };

test('a scenario about a Dataset is skipped by name if the volume of the profile is none', () => {
  const outline = { steps: [], tags: ['@dataset'] };
  expect(unpromisedIn(outline, { ...profile(), volume })).toBe("is about a Dataset, which the profile's volume is not");
  expect(unpromisedIn(outline, profile())).toBeUndefined();
  expect(unpromisedIn({ steps: [], tags: [] }, { ...profile(), volume })).toBeUndefined();
});

test('the class of recovery selects scenarios', () => {
  const outline = { steps: [], tags: ['@class:none', '@class:publish'] };
  expect(unpromisedIn(outline, profile())).toBe('is about the classes none, publish, and the profile promises enter');
  for (const each of ['none', 'publish'] as const)
    expect(unpromisedIn(outline, profile({ class: each }))).toBeUndefined();
});

test('without a gate, scenarios that turn it are skipped', () => {
  const without = { ...profile(), gate: 'none' } as const;
  for (const step of ['FUSE recovery is turned off', "FUSE recovery is as it is by default, without the gate's flag"])
    expect(unpromisedIn({ steps: [step], tags: [] }, without)).toBe('the profile has no gate to turn on and off');
  expect(unpromisedIn(crash, without)).toBeUndefined();
});
