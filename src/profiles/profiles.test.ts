import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  agentProgram,
  agentSettings,
  keeperSettings,
  loadProfile,
  negativeProfileNames,
  parseProfile,
  profileNames,
} from './load-profile.ts';
import type { Profile } from './profile.ts';
import { fillPattern, fillTemplate } from './template.ts';

const good = readFileSync(join(import.meta.dirname, 'ack-fluid.yaml'), 'utf8').replace(
  'agent: {}',
  'agent:\n  command: [/opt/agent]',
);

const own = `version: 2
name: mine
title: Mine
promises:
  class: none
volume:
  driver: mine.example.com
  objects:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata: { name: "{name}" }
  source:
    persistentVolumeClaim: { claimName: "{name}" }
process:
  plugin: "^s3fs .*/pods/{pod}/"
restartedBy: nobody
gate: none
`;

describe('shipped profiles', () => {
  it('are rekindle, ack-fluid and fluid', async () => {
    expect(await profileNames()).toEqual(['ack-fluid', 'fluid', 'rekindle']);
  });

  it.each(['ack-fluid', 'fluid', 'rekindle'])('%s loads under its own name', async (name) => {
    expect(await loadProfile(name, '/')).toMatchObject({
      name,
      promises: { class: name === 'rekindle' ? 'enter' : 'rebind' },
    });
  });
});

describe('profiles of faulty agents', () => {
  const faulty = [
    'blank-refusals',
    'claims-unread',
    'dead-standby',
    'eager-after-a-while',
    'first-pod-only',
    'half-writable',
    'leaks-mounts',
    'lies-about-success',
    'misplaced-refusals',
    'no-recovery',
    'other-dataset',
    'polls-only',
    'stale-copy',
    'takes-dead-mounts-away',
    'three-seconds-late',
    'too-eager',
    'whole-dataset',
    'writable-for-an-instant',
  ];
  const faultyKeepers = ['hands-over-late', 'loses-a-request'];

  it('are listed, and not among the shipped ones', async () => {
    expect(await negativeProfileNames()).toEqual([...faulty, ...faultyKeepers].sort());
    const shipped = await profileNames();
    expect([...faulty, ...faultyKeepers].filter((name) => shipped.includes(name))).toEqual([]);
  });

  it.each(faulty)('%s promises what Rekindle keeps, and has a program that is there', async (name) => {
    const [profile, rekindle] = await Promise.all([loadProfile(name, '/'), loadProfile('rekindle', '/')]);
    expect(profile.promises).toEqual(rekindle.promises);
    const [node, program = '', fault] = agentProgram(profile).command ?? [];
    expect([node, existsSync(program), fault]).toEqual([process.execPath, true, `--fault=${name}`]);
  });
});

describe('a profile of one’s own', () => {
  it('loads by path, relative to the working directory', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'rekindle-profile-'));
    try {
      await writeFile(join(cwd, 'mine.yaml'), good.replace('name: ack-fluid', 'name: mine'));
      expect(await loadProfile('mine.yaml', cwd)).toMatchObject({ name: 'mine' });
    } finally {
      await rm(cwd, { recursive: true });
    }
  });

  it('is refused with the known names if its name is unknown', async () => {
    await expect(loadProfile('juice', '/')).rejects.toMatchObject({
      code: 'BAD_FILE',
      message: 'juice: no such profile; known: ack-fluid, fluid, rekindle, or the path of a YAML file',
    });
  });

  it('is refused by path and errno if it cannot be read', async () => {
    await expect(loadProfile('./no.yaml', '/')).rejects.toThrow('./no.yaml: the profile cannot be read: open: ENOENT');
  });

  const line = (text: string) => good.slice(0, good.indexOf(text)).split('\n').length;

  it.each([
    ['subPath: refuse', 'subPath: magic', 'promises.subPath is "magic"; accepted: refuse, recover, unspecified'],
    [
      'subPath: refuse',
      'subPath: refuse\n  speed: high',
      'promises.speed is not a field of a profile; accepted here: class, readWriteScope,',
    ],
    ['class: rebind', 'class: perhaps', 'promises.class is "perhaps"; accepted: rebind, enter, propagate, descriptor'],
    ['version: 2', 'version: 3', 'version is 3; accepted: 2'],
    ['outageMs: 60000', 'outageMs: -1', 'budgets.outageMs is -1; accepted: a number of milliseconds above 0'],
    ['outageMs: 60000', 'outageMs: 10s', 'budgets.outageMs is "10s"; accepted: a number of milliseconds'],
    ['outageMs: 60000', 'outage: 60000', 'budgets.outageMs is missing; accepted: a number of milliseconds'],
    ['find:', 'find:\n  pid: 2', 'find.pid is not a field of a profile; accepted here: daemonSet'],
    ['command: [/opt/agent]', 'command: --x', 'agent.command is "--x"; accepted: a list of text'],
    ['command: [/opt/agent]', 'flags: []', 'agent.flags is not a field of a profile; accepted here: command'],
    ['name: ack-fluid', 'name: Rekindle!', 'name is "Rekindle!"; accepted: lower-case letters, digits and dashes'],
    ['find:', 'fill: pod\nfind:', 'fill is "pod"; accepted: store, because the files of a Dataset are in the object'],
    ['find:', 'pod: { labels: { a: b } }\nfind:', 'accepted: no needs without a volume: those of a pod with a Dataset'],
    ['command: [/opt/agent]', 'files: { /a: b }', 'accepted: environment and files only with a command'],
    ['promises:', 'promise:', 'promises is missing; accepted: a map with class, readWriteScope, subPath, writes'],
  ])('is refused where %j is %j', (from, to, says) => {
    const bad = good.replace(from, to);
    expect(() => parseProfile(bad, 'x.yaml')).toThrow(says);
  });

  it.each([
    ['the value', 'subPath: refuse', 'subPath: magic', line('subPath: refuse'), 12],
    ['the unknown field', 'find:', 'find:\n  pid: 2', line('find:') + 1, 3],
    ['the field that is there twice', 'outageMs: 60000', 'readyToReadableMs: 60000', line('outageMs: 60000'), 3],
    ['the map in which a field is missing', '    container: plugins', '', line('daemonSet:'), 3],
    ['the field without a value', 'container: plugins', 'container:', line('container: plugins'), 5],
    ['the item of a list', '[/opt/agent]', '[--a, 1]', line('command:'), 18],
    ['the list', '[/opt/agent]', '--x', line('command:'), 12],
  ])('is refused at %s', (_what, from, to, atLine, column) => {
    const refused = expect(() => parseProfile(good.replace(from, to), 'x.yaml'));
    refused.toThrow(expect.objectContaining({ problems: [expect.objectContaining({ line: atLine, column })] }));
    refused.toThrow(`x.yaml:${atLine}:${column}: `);
  });

  it('is refused with all that is wrong, in the order of the file', () => {
    const bad = good.replace('    container: plugins', '  pid: 2\n  uid: 3').replace('refuse', 'magic');
    const fields = ['promises.subPath is "magic"', 'container is missing', 'find.pid is not', 'find.uid is not'];
    expect(() => parseProfile(bad, 'x.yaml')).toThrow(
      expect.objectContaining({
        problems: fields.map((field) => expect.objectContaining({ says: expect.stringContaining(field) })),
      }),
    );
  });

  it.each([
    ['', 'x.yaml: is empty'],
    ['- a', 'the profile is ["a"]; accepted: a map with version, name, title, promises'],
    ['name: [', 'x.yaml:1:8: is not YAML'],
  ])('is refused where it is %j', (yaml, says) => {
    expect(() => parseProfile(yaml, 'x.yaml')).toThrow(says);
  });
});

describe('a profile of the first version', () => {
  it('is refused with the names of what to change', () => {
    const old = good.replace('version: 2\n', '').replace('class: rebind', 'recovers: true');
    const says = [
      'version is missing; accepted: 2; this is a profile of the first version: add "version: 2"',
      'promises.class is missing; accepted: rebind, enter, propagate, descriptor, automount, publish, none',
      expect.stringMatching(
        /^promises.recovers is not a field .*; write promises.class: rebind or enter if it was true/,
      ),
    ];
    expect(() => parseProfile(old, 'x.yaml')).toThrow(
      expect.objectContaining({ problems: says.map((each) => expect.objectContaining({ says: each })) }),
    );
  });
});

describe('a profile of a driver with volumes of its own', () => {
  it('promises nothing but its class, and has generous budgets', () => {
    expect(parseProfile(own, 'x.yaml')).toMatchObject({
      promises: { class: 'none', readWriteScope: 'recover', subPath: 'unspecified', standby: false },
      budgets: { readyToReadableMs: 15_000, outageMs: 60_000 },
      pod: { labels: {}, annotations: {}, propagation: 'None' },
      fill: 'store',
    });
  });

  it.each([
    [
      'class: none',
      'class: rebind',
      'restartedBy is "nobody"; accepted: kubelet, plugin or systemd, because promises.class',
    ],
    ['plugin: "^s3fs', 'plugin: "(s3fs', 'process.plugin is "(s3fs .*/pods/{pod}/"; accepted: a regular expression'],
    ['plugin: "^s3fs .*/pods/{pod}/"', '{}', 'process is {}; accepted: exactly one of pod, plugin, host'],
    ['{pod}', '{uid}', 'accepted: only the placeholders {namespace}, {name}, {volume}, {pod}, and not {uid}'],
    ['metadata: { name: "{name}" }', 'metadata: {}', 'volume.objects.0.metadata.name is missing; accepted: text'],
    ['claimName: "{name}"', 'claimName: "{claim}"', '{secretAccessKey}, and not {claim}'],
    ['process:\n  plugin: "^s3fs .*/pods/{pod}/"\n', '', 'process is missing; accepted: a map with one of pod, plugin'],
  ])('is refused if %j is %j', (from, to, says) => {
    expect(() => parseProfile(own.replace(from, to), 'x.yaml')).toThrow(says);
  });
});

describe('the agent of a profile', () => {
  const settings = (profile: Profile, isInstalled = false) => agentSettings(profile, { isInstalled });
  const program = 'agent:\n  command: [/opt/a]\n  environment: { A: b }\n  files: { /usr/bin/s3fs: s3fs }\n';

  it('is Rekindle’s own with the promised scope if no program is named', async () => {
    const rekindle = await loadProfile('rekindle', '/');
    expect(settings(rekindle)).toEqual({ fuseRecovery: true, readWriteScope: 'volume' });
    expect(agentSettings(rekindle, { isInstalled: false, kernelTier: '5.12' })).toMatchObject({ kernelTier: '5.12' });
  });

  it('is the program with its variables and files, and none of our flags', () => {
    expect(settings(parseProfile(own + program, 'x.yaml'))).toEqual({
      fuseRecovery: 'default',
      command: ['/opt/a'],
      environment: { A: 'b' },
      files: { '/usr/bin/s3fs': 's3fs' },
      driver: 'mine.example.com',
    });
  });

  it('gets nothing if it is installed: neither our flags nor the program', () => {
    const installed = settings(parseProfile(own + program, 'x.yaml'), true);
    expect(installed).toEqual({ fuseRecovery: 'default', driver: 'mine.example.com' });
    expect(settings(parseProfile(good, 'x.yaml'), true)).toEqual({ fuseRecovery: true });
  });

  it('runs beside a keeper with the fault of a faulty one', async () => {
    const faulty = await loadProfile('loses-a-request', '/');
    expect(keeperSettings(faulty, { deadline: '1s' })).toEqual({ deadline: '1s', fault: 'loses-a-request' });
    expect(keeperSettings(await loadProfile('rekindle', '/'), {})).toEqual({});
  });
});

describe('a template', () => {
  it('is filled in all texts, at any depth, and keeps what is no placeholder', () => {
    const template = { a: ['{name}-{name}', 3], b: { c: 'x{2,4}', d: null, e: '{other}' } };
    expect(fillTemplate(template, { name: 'n' })).toEqual({ a: ['n-n', 3], b: { c: 'x{2,4}', d: null, e: '{other}' } });
  });

  it('of a regular expression matches the values literally', () => {
    const pattern = new RegExp(fillPattern('^s3fs .*{volume}$', { volume: 'a.b' }));
    expect([pattern.test('s3fs /a.b'), pattern.test('s3fs /axb')]).toEqual([true, false]);
  });
});
