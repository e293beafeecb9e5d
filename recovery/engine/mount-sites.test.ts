import { describe, expect, it } from 'vitest';
import type { DeviceId, Mount } from './model.ts';
import { isFuse, MountTree, normalizePath } from './mount-sites.ts';

function mount(id: number, parentId: number, mountPoint: string): Mount {
  const device = `0:${id}` as DeviceId;
  const facts = { root: '/', options: ['rw'], fstype: 'fuse.fake', mountSource: 'fake', superOptions: [] };
  return { id, parentId, device, mountPoint, ...facts };
}

const ids = (mounts: readonly Mount[]) => mounts.map(({ id }) => id);

describe('MountTree.at', () => {
  it('orders a stack by parents, because a mount attached beneath has the higher id', () => {
    const table = [mount(1, 0, '/'), mount(5, 9, '/data'), mount(9, 1, '/data')];
    expect(ids(new MountTree(table).at('/data').stack)).toEqual([9, 5]);
  });

  it('leaves out what another mount covers', () => {
    const table = [mount(1, 0, '/'), mount(2, 1, '/var/lib/kubelet/pods/a'), mount(3, 1, '/var/lib/kubelet')];
    expect(ids(new MountTree(table).at('/var/lib/kubelet/pods/a').stack)).toEqual([]);
    expect(ids(new MountTree(table).at('/var/lib/kubelet/pods/a').above)).toEqual([1, 3]);
  });

  it('finds a mount whose parent is not in the table', () => {
    expect(ids(new MountTree([mount(7, 3, '/data')]).at('/data').stack)).toEqual([7]);
  });

  it('starts from the root filesystem that is mounted on the initial one', () => {
    const table = [mount(1, 1, '/'), mount(20, 1, '/'), mount(21, 20, '/data'), mount(22, 1, '/data')];
    expect(ids(new MountTree(table).at('/data').stack)).toEqual([21]);
  });

  it('matches whole components only', () => {
    const table = [mount(1, 0, '/'), mount(2, 1, '/data-old')];
    expect(new MountTree(table).at('/data').stack).toEqual([]);
    expect(ids(new MountTree(table).at('/data-old/x').above)).toEqual([1, 2]);
  });
});

describe('MountTree.descendants', () => {
  it('lists parents before children and leaves out the layers above', () => {
    const top = mount(3, 2, '/data');
    const table = [mount(6, 5, '/data/a/b'), mount(1, 0, '/'), mount(2, 1, '/data'), top, mount(5, 3, '/data/a')];
    expect(ids(new MountTree(table).descendants(top))).toEqual([5, 6]);
    expect(ids(new MountTree(table).descendants(mount(2, 1, '/data'), [top]))).toEqual([]);
  });
});

it.each([
  ['/data/', '/data'],
  ['//data/./x', '/data/x'],
  ['/', '/'],
  ['/a/../b', '/b'],
])('normalizePath turns %s into %s', (path, normalized) => expect(normalizePath(path)).toBe(normalized));

it.each([
  ['fuse', true],
  ['fuse.jindofs-fuse', true],
  ['fuseblk', true],
  ['alifuse.aliyun-alinas-efc', true],
  ['alifuse', true],
  ['nfs4', false],
  ['fusectl', false],
  ['ext4', false],
])('%s is FUSE: %s', (fstype, expected) => expect(isFuse({ fstype })).toBe(expected));
