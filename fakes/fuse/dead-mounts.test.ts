import { describe, expect, it } from 'vitest';
import { countFuseMounts } from './dead-mounts.ts';

const line = (mountPoint: string, fstype: string, root = '/'): string =>
  `63 43 0:39 ${root} ${mountPoint} rw,relatime shared:4 - ${fstype} source rw\n`;

describe('countFuseMounts', () => {
  it('counts the FUSE mounts that stand at the path, and no other', () => {
    const mountinfo = [
      line('/', 'ext4'),
      line('/jfs/m', 'fuse.jindofs-fuse'),
      line('/jfs/m', 'fuse'),
      line('/jfs/m', 'tmpfs'),
      line('/jfs/m/deeper', 'fuse'),
      line('/jfs/mm', 'fuse'),
      line('/elsewhere', 'fuse', '/jfs/m'),
      line('/jfs/m', 'fusectl'),
    ].join('');
    expect(countFuseMounts(mountinfo, '/jfs/m')).toBe(2);
    expect(countFuseMounts(mountinfo, '/nothing')).toBe(0);
  });

  it('knows a path with a space and a backslash', () => {
    expect(countFuseMounts(line('/a\\040b\\134c', 'fuse'), '/a b\\c')).toBe(1);
  });

  it('reads a table whose last line does not end', () => {
    expect(countFuseMounts(line('/jfs/m', 'fuse').trimEnd(), '/jfs/m')).toBe(1);
  });
});
