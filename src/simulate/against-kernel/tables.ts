import type { Mount } from '../../../recovery/engine/model.ts';

/**
 * The mount tables of all namespaces of a history in a form that does not depend on numbers that a kernel happens to give: mounts by
 * their position in the tree, file systems by their source, peer groups in the order of their appearance.
 */
export function normalizedTables(tables: readonly (readonly Mount[])[]): string {
  const groups = new Map<number, number>();
  const group = (id: number) => {
    const known = groups.get(id) ?? groups.size + 1;
    groups.set(id, known);
    return known;
  };
  const lines: string[] = [];
  for (const [index, table] of tables.entries()) {
    lines.push(`namespace ${index}`);
    const ids = new Set(table.map(({ id }) => id));
    const visit = (mount: Mount, depth: number): void => {
      const { mountPoint, root, options, shared, master, fstype, mountSource } = mount;
      const propagation = [
        ...(shared === undefined ? [] : [`shared:${group(shared)}`]),
        ...(master === undefined ? [] : [`master:${group(master)}`]),
      ];
      lines.push(
        `${'  '.repeat(depth + 1)}${mountPoint} ${mountSource} (${fstype}) ${root} ${[options.join(), ...propagation].join(' ')}`,
      );
      for (const child of table
        .filter(({ parentId, id }) => parentId === mount.id && id !== mount.id)
        .sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1)))
        visit(child, depth + 1);
    };
    for (const mount of table) if (!ids.has(mount.parentId) || mount.parentId === mount.id) visit(mount, 0);
  }
  return lines.join('\n');
}
