import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ProfileMisfit } from '../profiles/profile-misfit.ts';
import { runAfter, runBefore } from './profile-commands.ts';

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rekindle-commands-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const surroundings = () => ({ cwd, env: { PATH: process.env.PATH }, signal: new AbortController().signal });
const append = (word: string) => ['sh', '-c', `echo ${word} >>ran`];

it('runs commands in order, in the working directory', async () => {
  await runBefore({ before: [append('a'), append('b')], after: [] }, surroundings());
  expect(await runAfter({ before: [], after: [append('c')] }, surroundings())).toEqual([]);
  expect(await readFile(join(cwd, 'ran'), 'utf8')).toBe('a\nb\nc\n');
});

it.each([
  ['a program that is missing', ['no-such-program'], 'no-such-program is neither on the PATH nor'],
  ['a status', ['sh', '-c', 'echo why >&2; exit 3'], 'sh ended with status 3: why'],
  ['a signal', ['sh', '-c', 'kill -9 $$'], 'SIGKILL'],
])('names the field and what happened: %s', async (_, bad, found) => {
  const before = runBefore({ before: [append('a'), bad, append('b')], after: [] }, surroundings());
  await expect(before).rejects.toThrow(ProfileMisfit);
  await expect(before).rejects.toThrow("the profile's commands.before.1 does not fit: ");
  await expect(before).rejects.toThrow(found);
  expect(await readFile(join(cwd, 'ran'), 'utf8')).toBe('a\n');
  const after = await runAfter({ before: [], after: [bad, append('c')] }, surroundings());
  expect(after).toEqual([expect.stringContaining("the profile's commands.after.0 failed: ")]);
  expect(await readFile(join(cwd, 'ran'), 'utf8')).toBe('a\nc\n');
});

it('runs what comes after a run also if that was interrupted', async () => {
  expect(
    await runAfter({ before: [], after: [append('c')] }, { ...surroundings(), signal: AbortSignal.abort() }),
  ).toEqual([]);
  expect(await readFile(join(cwd, 'ran'), 'utf8')).toBe('c\n');
});
