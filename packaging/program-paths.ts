/** A quoted path that ends in `.ts`: of a program that is started, or a pattern of files that are loaded. Not a bare ending. */
const quotedPath = /(['"`])((?:(?!\1)[^\n\\])*?[\w*])\.ts\1/g;

/**
 * Compiled code with the paths of its own programs as they are called once compiled. The compiler turns imports only, and
 * programs are named by strings: `new URL('./main.ts', import.meta.url)`.
 */
export function withCompiledPaths(code: string): string {
  return code.replaceAll(quotedPath, (whole, quote: string, path: string) =>
    isEnding(path) ? whole : `${quote}${path}.js${quote}`,
  );
}

/** `.test` of `'.test.ts'`, which is looked for at the end of names. */
function isEnding(path: string): boolean {
  return path.startsWith('.') && !path.startsWith('./') && !path.startsWith('../');
}
