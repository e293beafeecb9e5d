import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(project, path), 'utf8');

test('no dependency runs a script when it is installed', () => {
  const { packages } = JSON.parse(read('package-lock.json'));
  const withScript = Object.entries<{ readonly hasInstallScript?: boolean }>(packages).flatMap(
    ([path, { hasInstallScript }]) => (hasInstallScript ? [path.replace(/^.*node_modules\//, '')] : []),
  );
  const { allowScripts } = JSON.parse(read('package.json'));
  expect(allowScripts).toEqual(Object.fromEntries(withScript.map((name) => [name, false])));
});

test('plain npm pack compiles: nothing turns the project’s own scripts off', () => {
  expect(read('.npmrc')).not.toMatch(/ignore-scripts/);
  expect(JSON.parse(read('package.json')).scripts.prepack).toBe('node packaging/compile.ts');
});
