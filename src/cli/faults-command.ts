import type { Command } from 'commander';
import type { Context } from './context.ts';

/** `rekindle faults`. */
export function addFaults(program: Command, { environment }: Context): void {
  program
    .command('faults')
    .description('list the ways in which mounts are lost, what has to come of each, and the scenarios that show it')
    .action(async () => {
      const [{ faultsAsText }, { shippedScenarios }, { faults }] = await Promise.all([
        import('../catalogue/fault-rows.ts'),
        import('../catalogue/shipped-scenarios.ts'),
        import('../faults/catalogue.ts'),
      ]);
      environment.stdout.write(faultsAsText(faults.values(), shippedScenarios()));
    });
}
