import { expect, it } from 'vitest';
import { type AgentTier, mountsBeneath } from './agent-tier.ts';

it.each<[string, AgentTier, boolean]>([
  ['6.1 without a flag stacks', { kernel: '6.1.0-30-amd64' }, false],
  ['6.1 stacks, as the agent reports', { kernel: '6.1.0-30-amd64', reported: '5.12' }, false],
  ['5.10 stacks', { kernel: '5.10.262', reported: '5.10' }, false],
  ['6.12 mounts beneath', { kernel: '6.12.118', reported: '6.5' }, true],
  ['6.12 mounts beneath without a report', { kernel: '6.12.118' }, true],
  ['a lower flag stacks on any kernel', { kernel: '6.12.118', flag: '5.12', reported: '5.12' }, false],
  ['a lower flag stacks without a report', { kernel: '6.12.118', flag: '5.10' }, false],
  ['a flag cannot raise a kernel without a report', { kernel: '6.1.192', flag: '6.5' }, false],
  ['a call that seccomp denies stacks on a new kernel', { kernel: '6.18.1', reported: '5.12' }, false],
  ['a backported call mounts beneath on an old kernel', { kernel: '5.14.0-570.el9', reported: '6.5' }, true],
])('%s', (_, inUse, expected) => expect(mountsBeneath(inUse)).toBe(expected));
