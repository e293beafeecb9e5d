import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { claimRows, claimsAsMarkdown } from './claim-rows.ts';
import { withPart } from './marked-part.ts';
import { shippedScenarios } from './shipped-scenarios.ts';
import { whereItRuns } from './where.ts';

it('the README lists the claims as they are (after a change: npx rekindle claims --readme README.md)', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toBe(withPart(readme, 'claims', claimsAsMarkdown(claimRows(shippedScenarios(), whereItRuns))));
});
