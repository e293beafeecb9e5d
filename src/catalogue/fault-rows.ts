import type { Fault } from '../faults/fault.ts';
import type { CatalogueScenario } from './scenarios.ts';

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
