import koffi from 'koffi';
import { expect, it } from 'vitest';
import { loadLinux } from './linux.ts';

const needs = process.getuid?.() === 0 ? '' : ' (skipped: needs root)';

it.skipIf(needs !== '')(`enters a mount namespace also when threads were started since${needs}`, async () => {
  const linux = loadLinux();
  const libc = koffi.load('libc.so.6');
  const poll = libc.func('int poll(void*, unsigned long, int)');
  const waiting = Array.from({ length: 8 }, () => new Promise((resolve) => poll.async(null, 0, 300, resolve)));
  expect(linux.inNamespacesOf(process.pid, ['mnt'], () => 'inside')).toBe('inside');
  await Promise.all(waiting);
});
