import { expect, it } from 'vitest';
import { libc } from '../../recovery/linux/libc.ts';
import { loadLinux } from './linux.ts';

const needs = process.getuid?.() === 0 ? '' : ' (skipped: needs root)';

it.skipIf(needs !== '')(`enters a mount namespace after other threads were started${needs}`, async () => {
  const linux = loadLinux();
  const waiting = Array.from({ length: 8 }, () => new Promise((resolve) => libc.poll.async(null, 0, 300, resolve)));
  expect(linux.inNamespacesOf(process.pid, ['mnt'], () => 'inside')).toBe('inside');
  await Promise.all(waiting);
});
