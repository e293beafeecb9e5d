import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { conditions, spelling } from '../../clusters/sandbox/conditions/catalogue.ts';
import { kernelResultsAsMarkdown, placesAsMarkdown, readKernelResults, readPlaces } from '../../kernels/results.ts';
import { help as agentHelp } from '../../recovery/agent/help.ts';
import { statusPort } from '../../recovery/deploy/agent-daemonset.ts';
import { statusReader } from '../../recovery/deploy/options.ts';
import { claimRows, claimsAsMarkdown, faultRows, faultsAsText, readLastPasses } from '../../src/catalogue.ts';
import { createFakeContext } from '../../src/cli/fake-context.ts';
import { createProgram, rekindle } from '../../src/cli/rekindle.ts';
import { faults } from '../../src/faults/catalogue.ts';
import { shippedScenarios } from '../../src/gherkin.ts';
import { profileJsonSchema } from '../../src/profiles/profile.ts';
import { fleetJsonSchema } from '../../src/simulate/fleet/fleet-file.ts';
import { statusJsonSchema } from '../../src/status/cluster-status.ts';
import { schemaAsMarkdown } from './schema-table.ts';

export interface Page {
  /** File name in this folder. */
  readonly file: string;
  readonly text: string;
}

const project = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Generates every page of the reference from the current code. */
export async function referencePages(): Promise<readonly Page[]> {
  return [
    { file: 'command-line.md', text: renderPage('The command line', await commandLineAsMarkdown()) },
    { file: 'agent.md', text: renderPage('The node agent', agentPage()) },
    { file: 'profile.md', text: renderPage('Profiles', profilePage()) },
    { file: 'fleet.md', text: renderPage('Fleets', fleetPage()) },
    { file: 'status.md', text: renderPage('The status of a cluster', statusPage()) },
    { file: 'record.md', text: renderPage('The record of a run', recordPage()) },
    { file: 'claims.md', text: renderPage('Claims and faults', claimsPage()) },
    { file: 'kernels.md', text: renderPage('Kernels', kernelsPage()) },
    { file: 'places.md', text: renderPage('Places and systems', placesPage()) },
    { file: 'node-conditions.md', text: renderPage('Node conditions', conditionsPage()) },
  ];
}

function renderPage(title: string, body: string): string {
  return `<!-- Generated from the code by "npm run docs"; do not edit. -->\n\n# ${title}\n\n${body.trim()}\n`;
}

function agentPage(): string {
  return `
The DaemonSet \`csi-nodeplugin-fluid\` runs this program. If Fluid's node plugin has a flag with the same meaning, the
name is the same.

${fence('text', agentHelp)}
`;
}

function profilePage(): string {
  return `
A profile states what an implementation promises and how it is driven. It is a YAML file with these fields and no others.
\`npx rekindle profile validate FILE\` reports mistakes by line and column, and \`npx rekindle profile schema\` prints the JSON
Schema for editors. To write one, see [Judge your own driver](../how-to/judge-your-own-driver.md).

${schemaAsMarkdown(profileJsonSchema())}

${['rekindle', 'ack-fluid', 'fluid'].map((name) => `## ${name}\n\n${fence('yaml', project(`src/profiles/${name}.yaml`))}`).join('\n\n')}
`;
}

function fleetPage(): string {
  return `
A fleet describes nodes, pods and daemons, how often daemons end, and the means of recovery to compare. It is a YAML file with these
fields and no others, which \`npx rekindle simulate --fleet FILE\` reads. Times have units: \`250ms\`, \`5s\`, \`2m\`, \`12h\`, \`30d\`. See
[Forecast for a fleet](../how-to/forecast-for-a-fleet.md).

${schemaAsMarkdown(fleetJsonSchema())}

${['large', 'small'].map((name) => `## ${name}\n\n${fence('yaml', project(`src/simulate/fleet/fleets/${name}.yaml`))}`).join('\n\n')}

## fleet.json

A forecast is written as a \`FleetRecord\`; NaN is null:

${fence('ts', project('reports/fleet/record.ts'))}
`;
}

function statusPage(): string {
  return `
\`npx rekindle status -o json\` prints this object, which each node agent answers for its node at \`/status\`. Agents serve it on
\`127.0.0.1:${statusPort}\` of their pods only, so that Kubernetes decides who may read it: the ClusterRole \`${statusReader}\` lets its
subjects list the agents' pods and forward their ports. It names pods, containers, volumes, mount paths and source mounts of all tenants
of a node, but no files, no options of mounts and no credentials. Fields may be added; none is removed within \`schemaVersion\` 1.

${schemaAsMarkdown(statusJsonSchema())}

A mount is \`dead\` if its daemon is gone and none is back, \`orphaned\` if one is back and the mount is left alone, and \`half-done\` if
its replacement was interrupted. \`hung\`: the daemon does not answer. \`kept\`: a keeper holds the connection for the next daemon.
\`gone\`: nothing is mounted there. \`contested\` and \`unfound\`: it is not clear whose mount it is. The table says \`dead\` for the first
three. Reasons are listed in [Repair a pod that is not recovered](../how-to/bring-back-a-pod-that-cannot-be-recovered.md).
`;
}

function recordPage(): string {
  return `
A run writes \`record.json\`, a \`RunRecord\`, and \`history.ndjson\`, one \`HistoryEvent\` per line. The reports are generated from these two
files; \`npx rekindle report\` regenerates them, and refuses a record whose verdict contradicts its scenarios and checks. Zod schemas define
both, and the package exports the types: \`import type { RunRecord } from 'rekindle'\`.

\`messages.ndjson\` is the message stream that Cucumber itself writes, for other Cucumber formatters.

${fence('ts', project('src/timeline/record.ts'))}

Its \`recovery\` is computed from the history, in \`src/timeline/recoveries.ts\`:

${fence('ts', project('src/timeline/recoveries.ts').split('\n\nexport interface')[0] ?? '')}

\`rekindle bench\` also writes \`bench.json\`, a \`BenchRecord\`, which \`rekindle compare\` reads:

${fence('ts', project('reports/bench/record.ts'))}
`;
}

function claimsPage(): string {
  const scenarios = shippedScenarios();
  return `
The promises of the document by id, the scenarios that test each, and where and when each last ran in \`.ci/run\` and passed. To run
those of one claim, use its tag: \`npx rekindle conform --tags @C2\`.

${claimsAsMarkdown(claimRows(scenarios, readLastPasses()))}

## Faults

The ways to lose a mount, the expected result of each, and the scenarios that test it:

${fence('text', faultsAsText(faultRows(faults.values(), scenarios)))}
`;
}

function conditionsPage(): string {
  const scenarios = shippedScenarios();
  const rows = [...conditions.values()].map((condition) => {
    const { name, title, reports } = condition;
    const own = scenarios.filter(({ tags }) => tags.includes(`@node:${name}`)).map((scenario) => scenario.name);
    return `| \`${spelling(condition)}\` | ${title} | ${reports.join(', ') || 'found in a review'} | ${own.join('; ')} |`;
  });
  return `
The ways in which nodes differ that \`npx rekindle conform --node\` imitates in the sandbox, public reports of such nodes
(\`repository#number\`), and the scenario that always runs under each. See [Run under a node condition](../how-to/run-under-a-node-condition.md).

| condition | the node | reported in | scenario |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function kernelsPage(): string {
  return `
What the checks of \`make kernels\` last found on each kernel. It boots Debian's kernels of every release, so that the node is really
that old or new; \`--kernel-tier\` only forbids the agent to use newer calls. On each it runs \`rekindle doctor\` (the tier that it finds),
\`rekindle crash\` (the lines of the mount tables before and after), and 200 histories of \`rekindle simulate --against-kernel\`; on
user-mode Linux also the documented scenarios and those of a standby. \`make kernels ARGS="--only user-mode-6.1 --check documented"\` makes one check
only. \`.ci/run\` boots one user-mode kernel for each commit.

On the emulated arm64 machine (\`make arm64\`), three documented scenarios take the place of the histories.

User-mode Linux is a program of the host with one slow processor and the host's clock, so a check of a budget may fail there because of
the machine. An emulated machine counts time by instructions, and misses no deadline because of its host.

\`REKINDLE_TIMEOUT_MULTIPLIER\` (6 on these machines) lengthens waits for a condition, and no budget of a check.

${kernelResultsAsMarkdown(readKernelResults())}
`;
}

function placesPage(): string {
  return `
What the checks of \`make places\` last found in each place where a checkout may be, and on each system. It copies the project there,
installs it as a new user does, and runs \`make doctor\`, \`make conform\` with the scenarios of crash and recovery (at \`all-at-once\`
every documented scenario), and the tests of what touches the machine. A warning of npm or Node counts as a failure. Debian's releases are
made by debootstrap and entered by pivot_root in a private mount namespace, so the kernel is that of the machine; for other kernels see
[Kernels](kernels.md).

The machine was busy with other work, so all but \`closed-parent\`, \`noexec-tmp\` and Debian's releases ran with \`REKINDLE_TIMEOUT_MULTIPLIER=3\`.

${placesAsMarkdown(readPlaces())}

On Alpine, and on other systems with musl instead of glibc, the command refuses to start in one sentence; a test imitates that, because no
Node for musl could be had. Linux on arm64 is on the page about kernels. For macOS and Windows see
[Run on another system](../how-to/run-on-another-system.md).
`;
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trim()}\n\`\`\``;
}

/** Renders the help of every command as the command prints it. */
export async function commandLineAsMarkdown(): Promise<string> {
  const { context } = createFakeContext({ cwd: '/' });
  const commands = listCommands(
    createProgram(context, () => {}),
    [],
  );
  const parts = await Promise.all(commands.map(async (words) => renderCommand(words, await readHelp(words))));
  return parts.join('\n\n');
}

/** Lists a command and its subcommands, each as the words that invoke it. */
function listCommands(command: Command, words: readonly string[]): readonly (readonly string[])[] {
  const subcommands = command.commands.filter((subcommand) => subcommand.name() !== 'help');
  return [words, ...subcommands.flatMap((subcommand) => listCommands(subcommand, [...words, subcommand.name()]))];
}

async function readHelp(words: readonly string[]): Promise<string> {
  const { context, stdout } = createFakeContext({ cwd: '/' });
  await rekindle([...words, '--help'], context);
  return stdout();
}

function renderCommand(words: readonly string[], help: string): string {
  return `## ${['rekindle', ...words].join(' ')}\n\n\`\`\`text\n${help.trim()}\n\`\`\``;
}
