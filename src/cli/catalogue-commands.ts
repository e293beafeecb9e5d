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
