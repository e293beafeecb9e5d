import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { kustomizeBase } from './kustomize.ts';

it('equals what deploy applies; node recovery/deploy/kustomize.ts renews it', () => {
  const folder = fileURLToPath(new URL('./kustomize', import.meta.url));
  const written = readdirSync(folder).map((name): [string, string] => [name, readFileSync(join(folder, name), 'utf8')]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(kustomizeBase()));
});
