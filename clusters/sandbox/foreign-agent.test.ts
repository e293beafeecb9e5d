import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addFiles, expandWords, findOnPath, foreignContainer, missingFiles } from './foreign-agent.ts';

const values = {
  nodeName: 'n',
  socket: '/k/csi.sock',
  kubeconfig: '/r/admin.kubeconfig',
  kubeletRoot: '/k',
  mountRoot: '/runtime-mnt',
};

/** Below /opt or /usr in a container's root are the machine's directories; /var and /tmp are its own. */
let folder: string;
beforeEach(() => {
  // Among temporary files nothing may be executable.
  const parent = fileURLToPath(new URL('../../dist', import.meta.url));
  mkdirSync(parent, { recursive: true });
  folder = mkdtempSync(join(parent, 'rekindle-foreign-'));
  for (const name of ['plugin', 'check.sh']) {
    writeFileSync(join(folder, name), '#!/bin/sh\n');
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, 'notes'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the words of a program', () => {
  it('have values for their placeholders, and keep unknown ones', () => {
    const words = ['--endpoint=unix://{socket}', '{nodeName}', '{other}', '--gates=FuseRecovery={gate}'];
    expect(expandWords(words, { ...values, gate: 'false' })).toEqual([
      '--endpoint=unix:///k/csi.sock',
      'n',
      '{other}',
      '--gates=FuseRecovery=false',
    ]);
  });

  it('are left out if they name a gate that is not set', () => {
    expect(expandWords(['start', '--gates=FuseRecovery={gate}'], values)).toEqual(['start']);
  });
});

describe('a program', () => {
  it('is found by name on the PATH and by path from the working directory, if it can be executed', () => {
    const search = { cwd: folder, PATH: `/none:${folder}` };
    expect(findOnPath('plugin', search)).toBe(join(folder, 'plugin'));
    expect(findOnPath('./plugin', { cwd: folder })).toBe(join(folder, 'plugin'));
    expect(findOnPath('notes', search)).toBeUndefined();
    expect(findOnPath('plugin', { cwd: folder, PATH: '/none' })).toBeUndefined();
  });

  it('and each of its files is named if it is missing, unless it is a variant of ours', () => {
    const agent = { fuseRecovery: true, command: ['absent', 'start'], files: { '/a': 'check.sh', '/b': 'gone' } };
    const search = { cwd: '/', PATH: folder };
    expect(missingFiles(agent, search)).toEqual(['absent', 'gone']);
    expect(missingFiles({ ...agent, command: ['absent', '{flags}'] }, search)).toEqual([]);
  });

  it('gets the words and variables that its profile names, and nothing else', () => {
    const { spec, keep } = foreignContainer({
      agent: { command: ['plugin', '--id={nodeName}'], environment: { ROOT: '{kubeletRoot}', EMPTY: '' } },
      added: { mounts: [], files: new Set() },
      values,
      base: { PATH: folder },
      search: { cwd: '/', PATH: folder },
    });
    expect(spec.argv).toEqual([join(folder, 'plugin'), '--id=n']);
    expect(spec.environment).toEqual({ PATH: folder, ROOT: '/k', EMPTY: '' });
    expect(spec.mounts.map(({ target, propagation }) => [target, propagation])).toEqual([
      ['/k', 'Bidirectional'],
      ['/runtime-mnt', 'HostToContainer'],
      ['/r/admin.kubeconfig', 'None'],
    ]);
    expect(spec.privileges).toBeUndefined();
    expect(keep).toBe(folder);
  });
});

describe('the files of a program', () => {
  it('are shown in a directory of the machine through one overlay, and elsewhere as they are', () => {
    const calls: unknown[] = [];
    const linux = { mount: (...call: readonly unknown[]) => void calls.push(call) };
    const files = { '/usr/bin/a.sh': 'check.sh', '/usr/bin/absent/b.sh': 'check.sh', '/var/absent/c.sh': 'check.sh' };
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    const added = addFiles(linux, files, { scratch, search: { cwd: '/', PATH: folder } });
    const merged = join(scratch, '0/merged');
    expect(calls).toEqual([
      ['overlay', merged, 'overlay', expect.any(Number), `lowerdir=${join(scratch, '0/added')}:/usr/bin`],
    ]);
    expect(readFileSync(join(scratch, '0/added/a.sh'), 'utf8')).toBe('#!/bin/sh\n');
    expect(readFileSync(join(scratch, '0/added/absent/b.sh'), 'utf8')).toBe('#!/bin/sh\n');
    expect(added.mounts.map(({ source, target }) => [source, target])).toEqual([
      [join(folder, 'check.sh'), '/var/absent/c.sh'],
      [merged, '/usr/bin'],
    ]);
    expect([...added.files]).toEqual(['/var/absent/c.sh']);
  });
});
