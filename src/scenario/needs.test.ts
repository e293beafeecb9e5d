import { expect, test } from 'vitest';
import { unfitFor, unpromisedIn } from './needs.ts';

const crash = { steps: ['FUSE recovery is enabled', 'the pod reads again'], tags: ['@C3'] };
const gateOff = { steps: ['FUSE recovery is disabled', 'nobody is recovered'], tags: ['@E1'] };
const sidecar = { steps: ['no node agent runs'], tags: ['@V3'] };

test('an implementation that promises no recovery is spared what turns it on, and judged by the rest', () => {
  const reasons = [crash, gateOff, sidecar].map((outline) => unpromisedIn(outline, { recovers: false }));
  expect(reasons).toEqual(['the profile promises no recovery', undefined, 'the profile promises no recovery']);
});

test('one that promises recovery is judged by everything', () => {
  expect([crash, gateOff, sidecar].map((outline) => unpromisedIn(outline, { recovers: true }))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('only an agent of ours can be ended between two system calls', () => {
  expect(unfitFor(['@needs:agent-death'], undefined)).toBeUndefined();
  expect(unfitFor(['@needs:agent-death'], ['/opt/agent'])).toBe(
    "needs Rekindle's own agent, ended between two system calls",
  );
  expect(unfitFor(['@C3'], ['/opt/agent'])).toBeUndefined();
});
