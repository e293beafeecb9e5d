import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CatalogueScenario, parseScenarios } from './scenarios.ts';

const features = fileURLToPath(new URL('../../features', import.meta.url));

/** The scenarios of all shipped feature files, in the order in which they run. */
export function shippedScenarios(): readonly CatalogueScenario[] {
  const files = readdirSync(features).filter((name) => name.endsWith('.feature'));
  return files.toSorted().flatMap((file) => parseScenarios(readFileSync(join(features, file), 'utf8')));
}
