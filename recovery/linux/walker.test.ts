import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadSyscalls } from './load-syscalls.ts';
import { createWalker } from './walker.ts';

let directory: string;
let root: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rekindle-walker-'));
  writeFileSync(join(directory, 'released'), '');
  root = openSync('/', 'r');
});
afterEach(() => {
  closeSync(root);
  rmSync(directory, { recursive: true });
});

const released = () => readFileSync(join(directory, 'released'), 'utf8');

/** A child that answers each look-up after a while, with an error that shows that the answer has arrived, and notes what is released. */
const child = (milliseconds: number) => `
  process.stdout.write('ready\\n');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, release } = JSON.parse(line);
    if (release !== undefined) require('node:fs').appendFileSync('${directory}/released', release + ' ');
    if (id !== undefined) setTimeout(() => console.log(JSON.stringify({ id, errno: 'ENOENT' })), ${milliseconds});
  });`;

/** A walker in a kernel that caches no name. */
function walkerBeside(milliseconds: number, clockSpeed = 1) {
  const failure = { errno: 'EAGAIN', call: 'openat2', path: '', step: '' };
  return createWalker({
    sys: { ...loadSyscalls(), openat2: () => ({ ok: false, failure }) },
    namespaces: { openOf: () => ({ ok: true, value: openSync('/', 'r') }) },
    command: [process.execPath, '--eval', child(milliseconds), '--'],
    now: () => performance.now() * clockSpeed,
  });
}

it('takes an answer that comes later than the usual wait, when the look-up is tried again', async () => {
  using walker = walkerBeside(40);
  const open = () => {
    walker.prepare(true);
    return walker.open(root, 'directory');
  };
  expect(open()).toMatchObject({ failure: { errno: 'EINPROGRESS' } });
  await vi.waitFor(() => expect(open()).toMatchObject({ failure: { errno: 'ENOENT' } }), { timeout: 20_000 });
});

it('has an answer released that no caller comes for', async () => {
  // Ten times as fast, so that answers are dropped within a second.
  using walker = walkerBeside(40, 10);
  let asked = 0;
  const ask = () => {
    walker.prepare(true);
    walker.open(root, `asked for once, ${asked++}`);
    expect(released()).not.toBe('');
  };
  await vi.waitFor(ask, { timeout: 20_000, interval: 200 });
});
