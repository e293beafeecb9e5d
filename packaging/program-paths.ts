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
