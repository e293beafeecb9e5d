import { claims } from '../timeline/claims.ts';
import type { CatalogueScenario } from './scenarios.ts';

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
