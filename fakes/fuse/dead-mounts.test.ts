import { describe, expect, it } from 'vitest';
import { countFuseMounts } from './dead-mounts.ts';

const line = (mountPoint: string, fstype: string, root = '/'): string =>
  `63 43 0:39 ${root} ${mountPoint} rw,relatime shared:4 - ${fstype} source rw\n`;

describe('countFuseMounts', () => {
  it('counts only the FUSE mounts at the path', () => {
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

  it('handles a path with a space and a backslash', () => {
    expect(countFuseMounts(line('/a\\040b\\134c', 'fuse'), '/a b\\c')).toBe(1);
  });

  it('handles a last line without a line feed', () => {
    expect(countFuseMounts(line('/jfs/m', 'fuse').trimEnd(), '/jfs/m')).toBe(1);
  });
});
