import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { isRoot, needsRoot } from './fixtures/private-namespace.ts';
import { isSince } from './kernel-tier.ts';

interface TableRow {
  readonly id: number;
  readonly options: string;
  readonly mountPoint: string;
  /** Peer groups `shared master`; in words from findmnt. */
  readonly propagation: string;
}

interface Tables {
  readonly parser: readonly TableRow[];
  readonly statmount: readonly TableRow[] | null;
  readonly findmnt: readonly TableRow[] | null;
}

const hasStatmount = isSince(release(), '6.8');
const hasFindmnt = spawnSync('findmnt', ['--version']).error === undefined;
const needsStatmount = hasStatmount ? '' : ' (skipped: needs listmount of Linux 6.8)';
const needsFindmnt = hasFindmnt ? '' : ' (skipped: needs findmnt)';

function readTables(): Tables {
  const directory = mkdtempSync(join(tmpdir(), 'rekindle-tables-'));
  try {
    const program = fileURLToPath(new URL('./fixtures/mount-tables.ts', import.meta.url));
    const argv = ['--mount', '--propagation=private', process.execPath, program, directory];
    const { stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  } finally {
    rmdirSync(directory);
  }
}

const byId = (rows: readonly TableRow[] | null) => rows?.toSorted((a, b) => a.id - b.id);

/** As findmnt prints it. */
function inWords({ propagation }: TableRow): string {
  const [shared, master] = propagation.split(' ');
  return `${shared === '0' ? 'private' : 'shared'}${master === '0' ? '' : ',slave'}`;
}

describe.skipIf(!isRoot)(`the mount table of a namespace${needsRoot}`, () => {
  let tables: Tables;
  beforeAll(() => {
    tables = readTables();
  });

  it('has mounts with every option and every escaped character', () => {
    const options = new Set(tables.parser.flatMap((row) => row.options.split(',')));
    for (const option of ['ro', 'nosuid', 'nodev', 'noexec', 'nosymfollow', 'noatime', 'nodiratime', 'relatime'])
      expect(options).toContain(option);
    const mountPoints = tables.parser.map(({ mountPoint }) => mountPoint).join();
    for (const character of [' ', '\t', '\n', '\\']) expect(mountPoints).toContain(character);
  });

  it.skipIf(!hasStatmount)(`is parsed as listmount and statmount report it${needsStatmount}`, () => {
    expect(byId(tables.parser)).toEqual(byId(tables.statmount));
  });

  it.skipIf(!hasFindmnt)(`is parsed as findmnt prints it${needsFindmnt}`, () => {
    const parsed = tables.parser.map((row) => ({ ...row, propagation: inWords(row) }));
    expect(byId(parsed)).toEqual(byId(tables.findmnt));
  });
});
