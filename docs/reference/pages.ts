import { readFileSync } from 'node:fs';
import { help as agentHelp } from '../../recovery/agent/help.ts';
import { claimRows, claimsAsMarkdown } from '../../src/catalogue/claim-rows.ts';
import { faultsAsText } from '../../src/catalogue/fault-rows.ts';
import { shippedScenarios } from '../../src/catalogue/shipped-scenarios.ts';
import { whereItRuns } from '../../src/catalogue/where.ts';
import { faults } from '../../src/faults/catalogue.ts';
import { profileJsonSchema } from '../../src/profiles/json-schema.ts';
import { commandLineAsMarkdown } from './command-line.ts';
import { schemaAsMarkdown } from './schema-table.ts';

export interface Page {
  /** In this folder. */
  readonly file: string;
  readonly text: string;
}

const project = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** All pages of the reference, as the code of now has them. */
export async function referencePages(): Promise<readonly Page[]> {
  return [
    { file: 'command-line.md', text: made('The command line', await commandLineAsMarkdown()) },
    { file: 'agent.md', text: made('The node agent', agentPage()) },
    { file: 'profile.md', text: made('Profiles', profilePage()) },
    { file: 'record.md', text: made('The record of a run', recordPage()) },
    { file: 'claims.md', text: made('What is examined', claimsPage()) },
  ];
}

function made(title: string, body: string): string {
  return `<!-- Made by "npm run docs" from the code: change that. -->\n\n# ${title}\n\n${body.trim()}\n`;
}

function agentPage(): string {
  return `
What the DaemonSet \`csi-nodeplugin-fluid\` runs. Its flags are those of Fluid's node plugin where there is one of that meaning.

${fence('text', agentHelp)}
`;
}

function profilePage(): string {
  return `
A profile says what an implementation promises and how it is driven. It is a YAML file with these fields and no others;
\`npx rekindle profile validate FILE\` says what is wrong by line and column, and \`npx rekindle profile schema\` prints the JSON
Schema, for editors. How to write one: [judge a driver of your own](../how-to/judge-your-own-driver.md).

${schemaAsMarkdown(profileJsonSchema())}

${['rekindle', 'ack-fluid', 'fluid'].map((name) => `## ${name}\n\n${fence('yaml', project(`src/profiles/${name}.yaml`))}`).join('\n\n')}
`;
}

function recordPage(): string {
  return `
A run leaves \`record.json\`, one \`RunRecord\`, and \`history.ndjson\`, one \`HistoryEvent\` a line; the reports are made of the two,
and again by \`npx rekindle report\`. Zod schemas define both; the types are those of the package, too: \`import type { RunRecord } from 'rekindle'\`.

${fence('ts', project('src/timeline/record.ts'))}

\`rekindle bench\` leaves \`bench.json\` beside it, one \`BenchRecord\`, which \`rekindle compare\` takes:

${fence('ts', project('reports/bench/record.ts'))}
`;
}

function claimsPage(): string {
  const scenarios = shippedScenarios();
  return `
Each promise of the document by its id, the scenarios that show it, and where they run. A tag picks them: \`npx rekindle conform
--tags @C2\`.

${claimsAsMarkdown(claimRows(scenarios, whereItRuns))}

## Faults

The ways in which mounts are lost, what has to come of each, and the scenarios that show it:

${fence('text', faultsAsText(faults.values(), scenarios))}
`;
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trim()}\n\`\`\``;
}
