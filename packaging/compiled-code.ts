import { posix } from 'node:path';

/** A quoted path that ends in `.ts`: a program to start, or a pattern of files to load. Not a bare file name extension. */
const quotedPath = /(['"`])((?:(?!\1)[^\n\\])*?[\w*])\.ts\1/g;

/**
 * Rewrites paths of our own programs in compiled code from `.ts` to `.js`. The compiler rewrites only imports, but programs are
 * named by strings: `new URL('./main.ts', import.meta.url)`.
 */
export function withCompiledPaths(code: string): string {
  return code.replaceAll(quotedPath, (whole, quote: string, path: string) =>
    isSuffix(path) ? whole : `${quote}${path}.js${quote}`,
  );
}

/** True for `.test` in `'.test.ts'`, which is a suffix of file names and not a path. */
function isSuffix(path: string): boolean {
  return path.startsWith('.') && !path.startsWith('./') && !path.startsWith('../');
}

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
