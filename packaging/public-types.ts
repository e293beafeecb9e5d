import { posix } from 'node:path';

const relativeImport = /\bfrom\s+['"](\.{1,2}\/[^'"]+)['"]|\bimport\(['"](\.{1,2}\/[^'"]+)['"]\)/g;

/**
 * The declaration files that `entry` needs, including itself: those that the package must ship. Paths are relative to one root.
 * `read` returns the text of a file.
 */
export function reachableTypes(entry: string, read: (path: string) => string): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [entry];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    for (const [, from, inline] of read(path).matchAll(relativeImport)) {
      const target = posix.join(posix.dirname(path), (from ?? inline ?? '').replace(/\.[jt]s$/, '.d.ts'));
      if (!target.endsWith('.json')) queue.push(target);
    }
  }
  return found;
}
