import { expect, it } from 'vitest';
import { parseFindmnt } from '../../recovery/linux/findmnt.ts';
import { compareTables, readConfirmedTable } from './mount-table.ts';

const lines = [
  '40 2 0:50 / /data ro,nosuid,relatime shared:1 master:3 - fuse.jfs jfs rw,user_id=0',
  '41 2 0:51 /sub /a\\040b rw,relatime - tmpfs none ro',
];
const rows = [
  ['40', '0:50', '/', '/data', 'ro,nosuid,relatime', 'rw,user_id=0', 'fuse.jfs', 'shared,slave'],
  ['41', '0:51', '/sub', '/a b', 'rw,relatime', 'ro', 'tmpfs', 'private'],
];

/** As findmnt prints it. */
function printed(changed: readonly (readonly string[])[] = rows): string {
  const filesystems = changed.map(([id, device, fsroot, target, options, fsOptions, fstype, propagation]) => ({
    ...{ id: Number(id), parent: 2, 'maj:min': ` ${device}`, fsroot, target },
    ...{ 'vfs-options': options, 'fs-options': fsOptions, fstype, propagation },
  }));
  return JSON.stringify({ filesystems });
}

it('finds no difference between two readings of one table', () => {
  expect(compareTables(lines, parseFindmnt(printed()))).toEqual([]);
});

it.each([
  ['a mount that one of them lacks', rows.slice(1), 'mount 40: findmnt has no such mount'],
  ['another device', [rows[0]?.with(1, '0:99') ?? [], rows[1] ?? []], 'mount 40: findmnt has {"id":40'],
  ['a writable mount', [rows[0]?.with(4, 'rw,nosuid,relatime') ?? [], rows[1] ?? []], '"options":"nosuid,relatime,rw"'],
])('finds %s', (_, changed, sentence) => {
  const differences = compareTables(lines, parseFindmnt(printed(changed)));
  expect(differences).toHaveLength(1);
  expect(differences[0]).toContain(sentence);
});

it('reads the table of this process, with findmnt and without it', async () => {
  for (const path of [process.env.PATH ?? '', '/nowhere'])
    expect(await readConfirmedTable(process.pid, path)).toContainEqual(expect.stringContaining(' - proc '));
});
