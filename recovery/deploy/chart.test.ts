import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { chart } from './chart.ts';

const folder = fileURLToPath(new URL('./chart', import.meta.url));

it('equals what its generator makes; node recovery/deploy/chart.ts renews it', () => {
  const written = globSync('**/*.yaml', { cwd: folder }).map((name) => [
    name,
    readFileSync(join(folder, name), 'utf8'),
  ]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(chart()));
});

it('leaves no mark of its generator', () => {
  expect([...chart().values()].join('')).not.toContain('rekindle-chart-');
});
