import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../run-id.ts';
import type { RunOptions, RunOutcome } from '../verbs.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';
import { listenForInterruption } from './start.ts';

const nothing: RunOutcome = { verdict: 'inconclusive', leftovers: [], resultsDir: '' };
let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-interrupt-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

test('the first signal asks to stop, and the second insists', async () => {
  const source = new EventEmitter();
  const said: string[] = [];
  const { signal, forced } = listenForInterruption(source, { write: (text) => said.push(text) });
  expect(signal.aborted).toBe(false);
  source.emit('SIGINT');
  expect(signal.aborted).toBe(true);
  expect(said).toEqual([expect.stringContaining('interrupted, cleaning up')]);
  source.emit('SIGTERM');
  await forced;
});

test('interrupted once, the verb cleans up by itself, and the status is 130', async () => {
  const controller = new AbortController();
  const { context } = createFakeContext({
    cwd,
    signal: controller.signal,
    verb: async ({ environment: { signal } }) => {
      const aborted = once(signal, 'abort');
      controller.abort();
      await aborted;
      return nothing;
    },
  });
  expect(await rekindle(['conform'], context)).toBe(130);
});

test('a verb that fails because it was interrupted was interrupted', async () => {
  const controller = new AbortController();
  const verb = async (): Promise<RunOutcome> => {
    controller.abort();
    throw new Error('aborted');
  };
  const { context, stderr } = createFakeContext({ cwd, signal: controller.signal, verb });
  expect(await rekindle(['crash'], context)).toBe(130);
  expect(stderr()).toBe('');
});

describe('interrupted twice', () => {
  /** A verb whose clean-up waits for a child that does not end by itself. */
  function stuck(outcome: RunOutcome) {
    const controller = new AbortController();
    const { promise: forced, resolve: force } = Promise.withResolvers<void>();
    const made: { child?: Pick<ChildProcess, 'signalCode'>; directory?: string } = {};
    const verb = async ({ runId }: RunOptions): Promise<RunOutcome> => {
      made.directory = temporaryDirectory(cwd, runId);
      mkdirSync(join(made.directory, 'a'), { recursive: true });
      const env = { PATH: process.env.PATH, REKINDLE_RUN_ID: runId };
      const child = execa('sleep', ['1000'], { env, extendEnv: false, stdio: 'ignore', reject: false });
      made.child = child;
      await once(child, 'spawn');
      controller.abort();
      force();
      await child;
      return outcome;
    };
    return { made, ...createFakeContext({ cwd, signal: controller.signal, forced, verb }) };
  }

  test('the processes of the run are killed and its directories removed, and the status is 130', async () => {
    const { context, made } = stuck(nothing);
    expect(await rekindle(['conform'], context)).toBe(130);
    expect(made.child?.signalCode).toBe('SIGKILL');
    expect(existsSync(made.directory ?? '')).toBe(false);
  });

  test('the verb that was waiting for them ends its own clean-up, and what it could not do counts', async () => {
    const { context, stderr } = stuck({ ...nothing, leftovers: ['container x'] });
    expect(await rekindle(['conform'], context)).toBe(5);
    expect(stderr()).toBe('rekindle: could not clean up: container x\n');
  });
});

test('what a verb leaves behind is removed after it, too', async () => {
  let directory = '';
  const { context } = createFakeContext({
    cwd,
    verb: async ({ runId }) => {
      directory = temporaryDirectory(cwd, runId, 'forgotten');
      mkdirSync(directory);
      return { ...nothing, verdict: 'pass' };
    },
  });
  expect(await rekindle(['conform'], context)).toBe(0);
  expect(existsSync(directory)).toBe(false);
});
