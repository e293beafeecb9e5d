import { closeSync, openSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { loadSyscalls } from './load-syscalls.ts';
import { createWalker } from './walker.ts';

/** A child that answers each look-up after a while, with an error that shows that the answer has arrived. */
const child = (milliseconds: number) => `
  process.stdout.write('ready\\n');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id } = JSON.parse(line);
    if (id !== undefined) setTimeout(() => console.log(JSON.stringify({ id, errno: 'ENOENT' })), ${milliseconds});
  });`;

/** A walker in a kernel that caches no name. */
function walkerBeside(milliseconds: number) {
  const failure = { errno: 'EAGAIN', call: 'openat2', path: '', step: '' };
  return createWalker({
    sys: { ...loadSyscalls(), openat2: () => ({ ok: false, failure }) },
    namespaces: { openOf: () => ({ ok: false, failure }) },
    command: [process.execPath, '--eval', child(milliseconds), '--'],
    now: () => performance.now(),
  });
}

it('takes an answer that comes later than the usual wait, when the look-up is tried again', async () => {
  using walker = walkerBeside(40);
  const root = openSync('/', 'r');
  const open = () => {
    walker.prepare(true);
    return walker.open(root, 'directory');
  };
  expect(open()).toMatchObject({ failure: { errno: 'EINPROGRESS' } });
  await vi.waitFor(() => expect(open()).toMatchObject({ failure: { errno: 'ENOENT' } }), { timeout: 20_000 });
  closeSync(root);
});
