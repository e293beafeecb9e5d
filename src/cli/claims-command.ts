import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from './context.ts';

interface ClaimsFlags {
  readonly readme?: string;
}

/** `rekindle claims`. */
export function addClaims(program: Command, { environment }: Context): void {
  program
    .command('claims')
    .description('list what the document promises, the scenarios that show it, and where they can run')
    .option('--readme <file>', 'write the table into this file, between <!-- claims:begin --> and <!-- claims:end -->')
    .action(async ({ readme }: ClaimsFlags) => {
      const [{ claimRows, claimsAsMarkdown, claimsAsText }, { shippedScenarios }, { whereItRuns }, { withPart }] =
        await Promise.all([
          import('../catalogue/claim-rows.ts'),
          import('../catalogue/shipped-scenarios.ts'),
          import('../catalogue/where.ts'),
          import('../catalogue/marked-part.ts'),
        ]);
      const rows = claimRows(shippedScenarios(), whereItRuns);
      if (readme === undefined) {
        environment.stdout.write(claimsAsText(rows));
        return;
      }
      const file = resolve(environment.cwd, readme);
      writeFileSync(file, withPart(readFileSync(file, 'utf8'), 'claims', claimsAsMarkdown(rows)));
    });
}
