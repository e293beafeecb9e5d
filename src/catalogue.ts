import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubernetesCapabilities, sandboxCapabilities } from '../clusters/capabilities.ts';
import type { Capability } from '../clusters/cluster.ts';
import { claimsFor } from './claims.ts';
import type { Fault } from './faults/fault.ts';
import { missingFor } from './scenario/needs.ts';
import { claims } from './timeline/claims.ts';

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
      claims: claimsFor(all),
      faults: all.filter((tag) => tag.startsWith('@fault:')).map((tag) => tag.slice('@fault:'.length)),
    });
  }
  return found;
}

const features = fileURLToPath(new URL('../features', import.meta.url));

/** The scenarios of all shipped feature files, in the order in which they run. */
export function shippedScenarios(): readonly CatalogueScenario[] {
  const files = readdirSync(features).filter((name) => name.endsWith('.feature'));
  return files.toSorted().flatMap((file) => parseScenarios(readFileSync(join(features, file), 'utf8')));
}

/** Capabilities of each kind of cluster. kind, minikube and existing clusters have the same. */
const places = { sandbox: sandboxCapabilities, Kubernetes: kubernetesCapabilities };

/** Describes where a scenario with these tags can run. */
export function whereItRuns(tags: readonly string[]): string {
  const missing = (capabilities: Iterable<Capability>) => missingFor(tags, { capabilities: new Set(capabilities) });
  const can = Object.entries(places).filter(
    ([, { always, onSomeMachines }]) => missing([...always, ...onSomeMachines]) === undefined,
  );
  const needs = new Set(can.flatMap(([, { always }]) => missing(always) ?? []));
  const long = tags.includes('@long') ? ', only where @long is asked for' : '';
  return `${[can.map(([name]) => name).join(', ') || 'nowhere', ...needs].join('; ')}${long}`;
}

/** A promise of the document and the scenarios that demonstrate it. */
export interface ClaimRow {
  readonly claim: string;
  readonly promise: string;
  readonly shownBy: readonly { readonly scenario: string; readonly where: string }[];
}

/** Prerequisites of all scenarios, which `rekindle doctor` checks. */
const byDoctor: Readonly<Record<string, string>> = {
  P1: 'rekindle doctor --context refuses an older cluster, and says why',
  P2: 'rekindle doctor --context refuses such a node, and says why',
  P3: "rekindle doctor --context finds somebody else's, and says what to do",
};

/** All claims in the order of the document. The list of a claim without a scenario is empty. */
export function claimRows(
  scenarios: readonly CatalogueScenario[],
  where: (tags: readonly string[]) => string,
): readonly ClaimRow[] {
  return Object.entries(claims).map(([claim, promise]) => ({
    claim,
    promise,
    shownBy: [
      ...scenarios
        .filter((scenario) => scenario.claims.includes(claim))
        .map(({ name, tags }) => ({ scenario: name, where: where(tags) })),
      ...(byDoctor[claim] === undefined ? [] : [{ scenario: byDoctor[claim], where: 'Kubernetes' }]),
    ],
  }));
}

const nothing = 'no scenario yet';

/** Formats claims for a terminal, each followed by its scenarios and where they run. */
export function claimsAsText(rows: readonly ClaimRow[]): string {
  return rows
    .flatMap(({ claim, promise, shownBy }) => [
      `${claim}  ${promise}`,
      ...(shownBy.length === 0
        ? [`    ${nothing}`]
        : shownBy.map(({ scenario, where }) => `    ${scenario}  [${where}]`)),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

/** Formats the table of `docs/reference/claims.md`, with a row for each claim and kind of cluster. */
export function claimsAsMarkdown(rows: readonly ClaimRow[]): string {
  const lines = rows.flatMap(({ claim, promise, shownBy }) => {
    const places = Map.groupBy(shownBy, ({ where }) => where);
    const cells = [...places].map(([where, own]) => [own.map(({ scenario }) => scenario).join('; '), where]);
    return (cells.length === 0 ? [[nothing, '']] : cells).map(([scenarios = '', where = ''], index) =>
      index === 0 ? [claim, promise, scenarios, where] : ['', '', scenarios, where],
    );
  });
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |\n`;
  return [
    line(['claim', 'promise', 'shown by', 'where it runs']),
    line(['---', '---', '---', '---']),
    ...lines.map(line),
  ].join('');
}

/** Formats faults for a terminal, each with its title, the expected result, and the scenarios that inject it. */
export function faultsAsText(faults: Iterable<Fault>, scenarios: readonly CatalogueScenario[]): string {
  return [...faults]
    .flatMap(({ name, title, claims, expected, isCrash }) => {
      const shown = scenarios.filter((scenario) => scenario.faults.includes(name));
      return [
        `${name}  (${claims.join(', ')})${isCrash ? '' : '  not for rekindle crash'}`,
        `    ${title}`,
        `    expected: ${expected}`,
        ...shown.map((scenario) => `    scenario: ${scenario.name}`),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}
