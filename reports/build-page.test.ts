import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pageModule } from './build-page.ts';

it('is the script that the reports carry (npm run page makes it again)', async () => {
  const kept = readFileSync(new URL('./html/page-script.ts', import.meta.url), 'utf8');
  expect(kept === (await pageModule())).toBe(true);
});
