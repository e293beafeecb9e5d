import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agentCommand, loadProfile, negativeProfileNames, profileNames } from './load-profile.ts';
import { parseProfile } from './parse-profile.ts';

const good = readFileSync(join(import.meta.dirname, 'rekindle.yaml'), 'utf8');

describe('shipped profiles', () => {
  it('are rekindle, ack-fluid and fluid', async () => {
    expect(await profileNames()).toEqual(['ack-fluid', 'fluid', 'rekindle']);
  });

  it.each(['ack-fluid', 'fluid', 'rekindle'])('%s loads under its own name', async (name) => {
    expect(await loadProfile(name, '/')).toMatchObject({ name, find: { process: 1 } });
  });
});

describe('profiles of faulty agents', () => {
  const faulty = ['leaks-mounts', 'lies-about-success', 'no-recovery', 'too-eager', 'writable-for-an-instant'];

  it('are five, and not among the shipped ones', async () => {
    expect(await negativeProfileNames()).toEqual(faulty);
    expect(await profileNames()).not.toEqual(expect.arrayContaining(faulty));
  });

  it.each(faulty)('%s promises what Rekindle keeps, and has a program that is there', async (name) => {
    const [profile, rekindle] = await Promise.all([loadProfile(name, '/'), loadProfile('rekindle', '/')]);
    expect(profile.promises).toEqual(rekindle.promises);
    const [node, program = '', fault] = agentCommand(profile) ?? [];
    expect([node, existsSync(program), fault]).toEqual([process.execPath, true, `--fault=${name}`]);
  });
});

describe('a profile of one’s own', () => {
  it('loads by path, relative to the working directory', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'rekindle-profile-'));
    try {
      await writeFile(join(cwd, 'mine.yaml'), good.replace('name: rekindle', 'name: mine'));
      expect(await loadProfile('mine.yaml', cwd)).toMatchObject({ name: 'mine' });
    } finally {
      await rm(cwd, { recursive: true });
    }
  });

  it('is refused with the known names if its name is unknown', async () => {
    await expect(loadProfile('juice', '/')).rejects.toMatchObject({
      code: 'BAD_PROFILE',
      message: 'juice: no such profile; known: ack-fluid, fluid, rekindle, or the path of a YAML file',
    });
  });

  it('is refused by path and errno if it cannot be read', async () => {
    await expect(loadProfile('./no.yaml', '/')).rejects.toThrow('./no.yaml: the profile cannot be read: open: ENOENT');
  });

  const line = (text: string) => good.slice(0, good.indexOf(text)).split('\n').length;

  it.each([
    [
      'class: enter',
      'class: magic',
      'promises.class is "magic"; accepted: propagate, enter, descriptor, automount, publish, none',
    ],
    ['recovers: true', 'recovers: perhaps', 'promises.recovers is "perhaps"; accepted: true, false'],
    ['outageMs: 10000', 'outageMs: -1', 'budgets.outageMs is -1; accepted: a number of milliseconds above 0'],
    ['outageMs: 10000', 'outageMs: 10s', 'budgets.outageMs is "10s"; accepted: a number of milliseconds'],
    ['outageMs: 10000', 'outage: 10000', 'budgets.outageMs is missing; accepted: a number of milliseconds'],
    [
      '  process: 1',
      '  process: 1\n  pid: 2',
      'find.pid is not a field of a profile; accepted here: daemonSet, gate, fusePods, process',
    ],
    ['flags: []', 'flags: --x', 'agent.flags is "--x"; accepted: a list of text'],
    ['flags: []', 'flag: []', 'agent.flag is not a field of a profile; accepted here: command, flags'],
    ['name: rekindle', 'name: Rekindle!', 'name is "Rekindle!"; accepted: lower-case letters, digits and dashes'],
    ['promises:', 'promise:', 'promises is missing; accepted: a map with recovers, readWriteScope, subPath, class'],
  ])('is refused where %j is %j', (from, to, says) => {
    const bad = good.replace(from, to);
    expect(() => parseProfile(bad, 'x.yaml')).toThrow(says);
  });

  it.each([
    ['the value', 'class: enter', 'class: magic', line('class: enter'), 10],
    ['the unknown field', '  process: 1', '  process: 1\n  pid: 2', line('  process: 1') + 1, 3],
    ['the field that is there twice', 'outageMs: 10000', 'readyToReadableMs: 10000', line('outageMs: 10000'), 3],
    ['the map in which a field is missing', '    name: FuseRecovery', '', line('gate:'), 3],
    ['the field without a value', 'fusePods: role=jindofs-fuse,release={dataset}', 'fusePods:', line('fusePods:'), 3],
    ['the item of a list', 'flags: []', 'flags: [--a, 1]', line('flags: []'), 16],
    ['the list', 'flags: []', 'flags: --x', line('flags: []'), 10],
  ])('is refused at %s', (_what, from, to, atLine, column) => {
    const refused = expect(() => parseProfile(good.replace(from, to), 'x.yaml'));
    refused.toThrow(expect.objectContaining({ problems: [expect.objectContaining({ line: atLine, column })] }));
    refused.toThrow(`x.yaml:${atLine}:${column}: `);
  });

  it('is refused with all that is wrong, in the order of the file', () => {
    const bad = good.replace('  process: 1', '  pid: 2\n  uid: 3').replace('class: enter', 'class: magic');
    const fields = ['promises.class is "magic"', 'find.process is missing', 'find.pid is not', 'find.uid is not'];
    expect(() => parseProfile(bad, 'x.yaml')).toThrow(
      expect.objectContaining({
        problems: fields.map((field) => expect.objectContaining({ says: expect.stringContaining(field) })),
      }),
    );
  });

  it.each([
    ['', 'x.yaml: is empty'],
    ['- a', 'the profile is ["a"]; accepted: a map with name, title, promises'],
    ['name: [', 'x.yaml:1:8: is not YAML'],
  ])('is refused where it is %j', (yaml, says) => {
    expect(() => parseProfile(yaml, 'x.yaml')).toThrow(says);
  });
});
