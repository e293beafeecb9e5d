import type { Dentry, VfsMount, VfsPath } from './mounts.ts';

/** Options in the order in which the kernel prints them. */
const printed = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'nosymfollow', 'idmapped'];

/** The text of /proc/PID/mountinfo for a process with this root directory: the mounts below it in the kernel's order. */
export function tableText(root: VfsPath): string {
  const paths = new Map<VfsMount, string>();
  const visit = (mount: VfsMount, path: string): void => {
    paths.set(mount, path);
    for (const child of mount.children) {
      const { mountpoint } = child;
      const below =
        mountpoint === undefined ? undefined : relative(mountpoint, mount === root.mount ? root.dentry : mount.root);
      if (below !== undefined) visit(child, below === '' ? path : `${path === '/' ? '' : path}/${below}`);
    }
  };
  visit(root.mount, '/');
  return [...paths]
    .sort(([a], [b]) => a.serial - b.serial)
    .map(([mount, path]) => line(mount, path))
    .join('');
}

function line(mount: VfsMount, path: string): string {
  const { id, parent, filesystem, root, options, group, master, isUnbindable } = mount;
  const shown = [options.has('ro') ? 'ro' : 'rw', ...printed.filter((option) => options.has(option))];
  const optional = [
    ...(group === undefined ? [] : [`shared:${group.id}`]),
    ...(master === undefined ? [] : [`master:${master.id}`]),
    ...(isUnbindable ? ['unbindable'] : []),
  ];
  const { device, fstype, source, superOptions } = filesystem;
  return `${[id, parent?.id ?? id, device, `${root.path}${root.isDeleted ? '//deleted' : ''}`, path, shown.join(), ...optional, '-', fstype, source, superOptions].join(' ')}\n`;
}

/** The path of a directory below another one; undefined if it is not within it. */
function relative(dentry: Dentry, from: Dentry): string | undefined {
  const names: string[] = [];
  for (let at = dentry; at !== from; ) {
    if (at.parent === undefined) return undefined;
    names.unshift(at.name);
    at = at.parent;
  }
  return names.join('/');
}
