import { posix } from 'node:path';

const relativeImport = /\bfrom\s+['"](\.{1,2}\/[^'"]+)['"]|\bimport\(['"](\.{1,2}\/[^'"]+)['"]\)/g;

/**
 * Declaration files that `entry` needs, itself included: all that a package has to ship for its types. Paths are relative
 * to one root; `read` gives the text of one of them.
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
