import type { Command } from 'commander';
import type { Context } from './context.ts';

/** `rekindle claims`. */
export function addClaims(program: Command, { environment }: Context): void {
  program
    .command('claims')
    .description('list the documented promises, the scenarios that test them, and where these last passed')
    .action(async () => {
      const { claimRows, claimsAsText, readLastPasses } = await import('../catalogue.ts');
      const { shippedScenarios } = await import('../gherkin.ts');
      environment.stdout.write(claimsAsText(claimRows(shippedScenarios(), readLastPasses())));
    });
}

/** `rekindle conditions`. */
export function addConditions(program: Command, { environment }: Context): void {
  program
    .command('conditions')
    .description('list the conditions of nodes that rekindle conform --node imitates, and public reports of such nodes')
    .action(async () => {
      const { conditions, spelling } = await import('../../clusters/sandbox/conditions/catalogue.ts');
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
    .action(async () => {
      const [{ faultsAsText }, { shippedScenarios }, { faults }] = await Promise.all([
        import('../catalogue.ts'),
        import('../gherkin.ts'),
        import('../faults/catalogue.ts'),
      ]);
      environment.stdout.write(faultsAsText(faults.values(), shippedScenarios()));
    });
}
