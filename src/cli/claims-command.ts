import type { Command } from 'commander';
import type { Context } from './context.ts';

/** `rekindle claims`. */
export function addClaims(program: Command, { environment }: Context): void {
  program
    .command('claims')
    .description('list what the document promises, the scenarios that show it, and where they can run')
    .action(async () => {
      const [{ claimRows, claimsAsText }, { shippedScenarios }, { whereItRuns }] = await Promise.all([
        import('../catalogue/claim-rows.ts'),
        import('../catalogue/shipped-scenarios.ts'),
        import('../catalogue/where.ts'),
      ]);
      environment.stdout.write(claimsAsText(claimRows(shippedScenarios(), whereItRuns)));
    });
}
