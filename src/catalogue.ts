import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Fault } from './faults/fault.ts';
import type { ScenarioSource } from './gherkin.ts';
import { claims } from './timeline/claims.ts';
import type { RunRecord } from './timeline/record.ts';

const lastPasses = z.record(z.string(), z.record(z.string(), z.iso.date()));

/** The dates on which scenarios last ran and passed, by their names and by the kind of cluster. */
export type LastPasses = Readonly<z.infer<typeof lastPasses>>;

export const lastPassesFile = new URL('last-passes.json', import.meta.url);

export function readLastPasses(): LastPasses {
  return lastPasses.parse(JSON.parse(readFileSync(lastPassesFile, 'utf8')));
}

/** Adds what passed in these runs, and forgets scenarios that do not exist any more. */
export function renewLastPasses(
  known: LastPasses,
  runs: readonly RunRecord[],
  scenarios: readonly ScenarioSource[],
): LastPasses {
  const passes = runs.flatMap(({ cluster, finishedAt, scenarios: ran }) =>
    ran.flatMap(({ name, status }) => (status === 'pass' ? { name, cluster, date: finishedAt.slice(0, 10) } : [])),
  );
  const entries = scenarios
    .flatMap(({ runsAs }) => runsAs)
    .map((name) => {
      const dates = new Map(Object.entries(known[name] ?? {}));
      for (const { cluster, date } of passes.filter((pass) => pass.name === name))
        if (date > (dates.get(cluster) ?? '')) dates.set(cluster, date);
      return [name, Object.fromEntries([...dates].toSorted(([a], [b]) => b.localeCompare(a)))] as const;
    });
  return Object.fromEntries(entries.filter(([, dates]) => Object.keys(dates).length > 0));
}

/** Where all examples of a scenario have passed, and when the last of them did: `sandbox 2026-11-30, kind 2026-11-28`. */
export function whereItPassed({ runsAs }: ScenarioSource, passes: LastPasses): string {
  const [first = {}, ...others] = runsAs.map((name) => passes[name] ?? {});
  const places = Object.keys(first).filter((place) => others.every((dates) => dates[place] !== undefined));
  const dateOf = (place: string) => [first, ...others].map((dates) => dates[place] ?? '').toSorted()[0];
  return places.map((place) => `${place} ${dateOf(place)}`).join(', ') || 'has not passed yet';
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
export function claimRows(scenarios: readonly ScenarioSource[], passes: LastPasses): readonly ClaimRow[] {
  return Object.entries(claims).map(([claim, promise]) => ({
    claim,
    promise,
    shownBy: [
      ...scenarios
        .filter(({ tags }) => tags.includes(`@${claim}`))
        .map((scenario) => ({ scenario: scenario.name, where: whereItPassed(scenario, passes) })),
      ...(byDoctor[claim] === undefined ? [] : [{ scenario: byDoctor[claim], where: 'unit tests of doctor' }]),
    ],
  }));
}

const nothing = 'no scenario yet';

/** Formats claims for a terminal, each followed by its scenarios and where they last passed. */
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

/** Formats the table of `docs/reference/claims.md`, with a row for each claim and for each of its places. */
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
    line(['claim', 'promise', 'shown by', 'last passed']),
    line(['---', '---', '---', '---']),
    ...lines.map(line),
  ].join('');
}

export interface FaultRow extends Pick<Fault, 'name' | 'title' | 'claims' | 'expected' | 'isCrash'> {
  /** Names of the scenarios that inject it. */
  readonly scenarios: readonly string[];
}

export function faultRows(faults: Iterable<Fault>, scenarios: readonly ScenarioSource[]): readonly FaultRow[] {
  return Array.from(faults, ({ name, title, claims, expected, isCrash }) => {
    const shown = scenarios.filter(({ tags }) => tags.includes(`@fault:${name}`));
    return { name, title, claims, expected, isCrash, scenarios: shown.map((scenario) => scenario.name) };
  });
}

/** Formats faults for a terminal, each with its title, the expected result, and the scenarios that inject it. */
export function faultsAsText(rows: readonly FaultRow[]): string {
  return rows
    .flatMap(({ name, title, claims, expected, isCrash, scenarios }) => [
      `${name}  (${claims.join(', ')})${isCrash ? '' : '  not for rekindle crash'}`,
      `    ${title}`,
      `    expected: ${expected}`,
      ...scenarios.map((scenario) => `    scenario: ${scenario}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
