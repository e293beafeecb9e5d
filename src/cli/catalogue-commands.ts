import type { Command } from 'commander';
import type { Context } from './context.ts';

/** `rekindle claims`. */
export function addClaims(program: Command, { environment }: Context): void {
  program
    .command('claims')
    .description('list the documented promises, the scenarios that test them, and where they can run')
    .action(async () => {
      const { claimRows, claimsAsText, shippedScenarios, whereItRuns } = await import('../catalogue.ts');
      environment.stdout.write(claimsAsText(claimRows(shippedScenarios(), whereItRuns)));
    });
}

/** `rekindle faults`. */
export function addFaults(program: Command, { environment }: Context): void {
  program
    .command('faults')
    .description('list the ways to lose a mount, the expected result of each, and the scenarios that test it')
    .action(async () => {
      const [{ faultsAsText, shippedScenarios }, { faults }] = await Promise.all([
        import('../catalogue.ts'),
        import('../faults/catalogue.ts'),
      ]);
      environment.stdout.write(faultsAsText(faults.values(), shippedScenarios()));
    });
}
