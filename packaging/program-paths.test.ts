import { describe, expect, it } from 'vitest';
import { withCompiledPaths } from './compiled-code.ts';

describe('paths in compiled code', () => {
  it.each([
    ["new URL('./main.ts', import.meta.url)", "new URL('./main.js', import.meta.url)"],
    ["program('clusters/sandbox/supervisor.ts')", "program('clusters/sandbox/supervisor.js')"],
    ['features("steps/*.ts")', 'features("steps/*.js")'],
    ['new URL(`../' + '$' + '{folder}/main.ts`, here)', 'new URL(`../' + '$' + '{folder}/main.js`, here)'],
    ["[join(here, 'daemon.ts'), join(here, 'x.ts')]", "[join(here, 'daemon.js'), join(here, 'x.js')]"],
  ])('%s names the compiled program', (code, compiled) => {
    expect(withCompiledPaths(code)).toBe(compiled);
  });

  it.each(["name.endsWith('.ts')", "name.endsWith('.test.ts')", '// as in record.ts', 'a.ts()'])(
    '%s stays as it is',
    (code) => {
      expect(withCompiledPaths(code)).toBe(code);
    },
  );
});
