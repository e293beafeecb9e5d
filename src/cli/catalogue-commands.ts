import type { Command } from 'commander';
import type { Context } from './context.ts';
import { jsonOption, toJson } from './options.ts';

interface CatalogueFlags {
  readonly json?: true;
}

/** `rekindle claims`. */
export function addClaims(program: Command, { environment }: Context): void {
  program
    .command('claims')
    .description('list the documented promises, the scenarios that test them, and where these last passed')
    .addOption(jsonOption())
    .action(async ({ json }: CatalogueFlags) => {
      const { claimRows, claimsAsText, readLastPasses } = await import('../catalogue.ts');
      const { shippedScenarios } = await import('../gherkin.ts');
      const rows = claimRows(shippedScenarios(), readLastPasses());
      environment.stdout.write(json ? toJson(rows) : claimsAsText(rows));
    });
}

/** `rekindle conditions`. */
export function addConditions(program: Command, { environment }: Context): void {
  program
    .command('conditions')
    .description('list the conditions of nodes that rekindle conform --node imitates, and public reports of such nodes')
    .addOption(jsonOption())
    .action(async ({ json }: CatalogueFlags) => {
      const { conditions, spelling } = await import('../../clusters/sandbox/conditions/catalogue.ts');
      if (json) {
        const rows = [...conditions.values()].map((each) => ({
          condition: spelling(each),
          title: each.title,
          reports: each.reports,
        }));
        environment.stdout.write(toJson(rows));
        return;
      }
      for (const condition of conditions.values()) {
        const { title, reports } = condition;
        environment.stdout.write(
          `${spelling(condition)}\n    ${title}\n    ${reports.length === 0 ? 'found in a review' : `reported in ${reports.join(', ')}`}\n`,
        );
      }
    });
}

/** `rekindle faults`. */
export function addFaults(program: Command, { environment }: Context): void {
  program
    .command('faults')
    .description('list the ways to lose a mount, the expected result of each, and the scenarios that test it')
    .addOption(jsonOption())
    .action(async ({ json }: CatalogueFlags) => {
      const [{ faultRows, faultsAsText }, { shippedScenarios }, { faults }] = await Promise.all([
        import('../catalogue.ts'),
        import('../gherkin.ts'),
        import('../faults/catalogue.ts'),
      ]);
      const rows = faultRows(faults.values(), shippedScenarios());
      environment.stdout.write(json ? toJson(rows) : faultsAsText(rows));
    });
}
