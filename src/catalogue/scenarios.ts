import { claimsOf } from '../claims.ts';

/** A scenario of a feature file, without its steps. */
export interface CatalogueScenario {
  readonly feature: string;
  readonly rule?: string;
  readonly name: string;
  /** Tags of the scenario, its rule and its feature. */
  readonly tags: readonly string[];
  /** Seed claims among the tags. */
  readonly claims: readonly string[];
  /** Names of faults among the tags. */
  readonly faults: readonly string[];
}

const heading = /^\s*(Feature|Rule|Scenario Outline|Scenario|Example|Background|Examples):\s*(.*?)\s*$/;

/** The scenarios of one feature file. Reads only headings and tags, so that it needs no Gherkin parser. */
export function parseScenarios(text: string): readonly CatalogueScenario[] {
  const found: CatalogueScenario[] = [];
  let waiting: readonly string[] = [];
  let feature = { name: '', tags: waiting };
  let rule: { readonly name: string; readonly tags: readonly string[] } | undefined;
  for (const line of text.split('\n')) {
    if (/^\s*@/.test(line)) {
      waiting = [...waiting, ...(line.replace(/\s#.*/, '').match(/@[^\s@]+/g) ?? [])];
      continue;
    }
    const [, keyword, name = ''] = heading.exec(line) ?? [];
    if (keyword === undefined) continue;
    const tags = waiting;
    waiting = [];
    if (keyword === 'Feature') feature = { name, tags };
    if (keyword === 'Rule') rule = { name, tags };
    if (keyword !== 'Scenario' && keyword !== 'Scenario Outline' && keyword !== 'Example') continue;
    const all = [...new Set([...feature.tags, ...(rule?.tags ?? []), ...tags])];
    found.push({
      feature: feature.name,
      ...(rule && { rule: rule.name }),
      name,
      tags: all,
      claims: claimsOf(all),
      faults: all.filter((tag) => tag.startsWith('@fault:')).map((tag) => tag.slice('@fault:'.length)),
    });
  }
  return found;
}
