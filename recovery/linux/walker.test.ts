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
  for (const name of ['asked', 'answered', 'released']) writeFileSync(join(directory, name), '');
  root = openSync('/', 'r');
});
afterEach(() => {
  closeSync(root);
  rmSync(directory, { recursive: true });
});

type Note = 'asked' | 'answered' | 'released';
const noted = (name: Note) => readFileSync(join(directory, name), 'utf8');

/**
 * A child that answers each look-up after a while, or once there is a file `answer`, with an error that shows that the answer has arrived. It
 * notes what it is asked, has answered and releases.
 */
const child = (milliseconds: number | undefined) => `
  const { appendFileSync, existsSync, writeSync } = require('node:fs');
  const note = (name, id) => appendFileSync('${directory}/' + name, id + ' ');
  process.stdout.write('ready\\n');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, release } = JSON.parse(line);
    if (release !== undefined) return note('released', release);
    note('asked', id);
    const answer = () => {
      if (${milliseconds === undefined} && !existsSync('${directory}/answer')) return setTimeout(answer, 5);
      writeSync(1, JSON.stringify({ id, errno: 'ENOENT' }) + '\\n');
      note('answered', id);
    };
    setTimeout(answer, ${milliseconds ?? 0});
  });`;

/** A walker in a kernel that caches no name. */
function walkerBeside(milliseconds: number | undefined, now = () => performance.now()) {
  const failure = { errno: 'EAGAIN', call: 'openat2', path: '', step: '' };
  return createWalker({
    sys: { ...loadSyscalls(), openat2: () => ({ ok: false, failure }) },
    namespaces: { openOf: () => ({ ok: true, value: openSync('/', 'r') }) },
    command: [process.execPath, '--eval', child(milliseconds), '--'],
    now,
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
  using walker = walkerBeside(40, () => performance.now() * 10);
  let asked = 0;
  const ask = () => {
    walker.prepare(true);
    walker.open(root, `asked for once, ${asked++}`);
    expect(noted('released')).not.toBe('');
  };
  await vi.waitFor(ask, { timeout: 20_000, interval: 200 });
});

it('keeps an answer until the next resync, and makes no look-up twice', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let milliseconds = 0;
    using walker = walkerBeside(undefined, () => milliseconds);
    const open = () => {
      walker.prepare(true);
      return walker.open(root, 'directory');
    };
    const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
    for (; noted('asked') === ''; await nextTurn()) expect(open()).toMatchObject({ failure: { errno: 'EINPROGRESS' } });
    writeFileSync(join(directory, 'answer'), '');
    while (noted('answered') === '') await nextTurn();
    // The walker looks through its answers each second.
    for (milliseconds = 1_000; milliseconds < 6_000; milliseconds += 1_000) vi.advanceTimersByTime(1_000);
    expect(open()).toMatchObject({ failure: { errno: 'ENOENT' } });
    expect(noted('asked')).toBe('1 ');
  } finally {
    vi.useRealTimers();
  }
});
