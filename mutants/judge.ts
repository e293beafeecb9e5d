import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { SimulationReport } from '../src/simulate/protocol.ts';
import type { RunRecord, ScenarioRecord } from '../src/timeline/record.ts';
import { findStop } from '../src/timeline/verdict.ts';

/** What checks found in a tree: what is red and what is green, or why they could not run. */
export type Findings =
  | {
      readonly red: readonly string[];
      readonly green: readonly string[];
      /** Texts of the steps at which red scenarios stopped. */
      readonly steps?: readonly string[];
    }
  | { readonly error: string };

/** A red scenario waits for what does not come, 20 s each time. */
const timeoutMs = 600_000;

/** Runs the scenarios of a tag expression in a copy of the tree, and reads the record that they write. */
export async function runScenarios(tree: string, tags: string): Promise<Findings> {
  const results = join(tree, 'results');
  rmSync(results, { recursive: true, force: true });
  // A breakage shows in the short ones too.
  const output = await run(tree, ['bin/rekindle.js', 'conform', `--tags=(${tags}) and not @long`]);
  const record: RunRecord | undefined = read(join(results, 'latest/record.json'));
  if (record === undefined) return { error: `no record of "${tags}": ${output}` };
  const shown = record.scenarios.filter(({ status }) => status !== 'skipped');
  if (shown.length === 0)
    return { error: `no scenario of "${tags}" ran: ${record.errors?.[0] ?? 'none can run here'}` };
  const unready = shown.find((scenario) => scenario.status !== 'pass' && !reachedFirstWhen(scenario));
  if (unready) return { error: `"${unready.name}" did not reach its first When: ${unready.reason}` };
  const ofRun = (record.checks ?? []).filter(({ verdict }) => verdict === 'fail');
  const failed = shown.filter(({ status }) => status === 'fail');
  return {
    red: [
      ...ofRun.map(({ name, says }) => `${name} [${says}]`),
      ...failed.map(({ name, reason, checks }) => {
        const bad = checks.filter(({ verdict }) => verdict === 'fail').map((check) => check.name);
        return `${name} [${bad.join(', ') || reason?.split('\n')[0]}]`;
      }),
    ],
    green: shown.filter(({ status }) => status === 'pass').map(({ name }) => name),
    steps: [...new Set(failed.flatMap(({ steps }) => findStop(steps)?.text ?? []))],
  };
}

/** A failure before the first When proves nothing about the implementation, unless a check fails. */
function reachedFirstWhen({ steps, checks }: ScenarioRecord): boolean {
  if (checks.some(({ verdict }) => verdict === 'fail')) return true;
  const begun = steps.findIndex(({ keyword }) => keyword === 'When' || keyword === 'Then');
  const bad = steps.findIndex(({ status }) => status === 'failed');
  return bad >= 0 && begun >= 0 && bad >= begun;
}

/** Runs test files in a copy of the tree. */
export async function runTests(tree: string, files: readonly string[]): Promise<Findings> {
  const report = join(tree, 'vitest.json');
  rmSync(report, { force: true });
  const program = ['node_modules/vitest/vitest.mjs', 'run', ...files];
  const output = await run(tree, [...program, '--reporter=json', `--outputFile=${report}`]);
  const results: VitestReport | undefined = read(report);
  if (results === undefined) return { error: `no report of ${files.join(' ')}: ${output}` };
  const all = results.testResults.flatMap(({ name, message, assertionResults }) => {
    // A file that does not even load shows that something is wrong, and nothing about what.
    if (assertionResults.length === 0) return [{ status: 'unloaded', name: `${name}: ${message}` }];
    return assertionResults.map(({ status, fullName }) => ({ status, name: fullName }));
  });
  const named = (status: string) => all.filter((each) => each.status === status).map(({ name }) => name);
  const [unloaded] = named('unloaded');
  if (unloaded !== undefined) return { error: unloaded };
  return { red: named('failed'), green: named('passed') };
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Resolves with the end of what the program printed. If it is killed, its sandbox ends with it. */
async function run(cwd: string, argv: readonly string[]): Promise<string> {
  const { all } = await execa(process.execPath, argv, {
    cwd,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: timeoutMs,
  });
  return all.slice(-600).trim();
}

function read<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Histories after which a breakage is taken to be unnoticed. */
const mostHistories = 1000;

/** Runs simulated histories in a copy of the tree, from the same seed each time, until one fails. */
export async function runSimulation(tree: string): Promise<{ readonly noticed: boolean; readonly text: string }> {
  const order = {
    against: 'invariants',
    first: 1,
    seeds: mostHistories,
    stride: 1,
    steps: 60,
    tier: '6.5',
    mostFailures: 1,
  };
  const program = ['src/simulate/main.ts', JSON.stringify(order)];
  const { stdout, stderr } = await execa(process.execPath, program, { cwd: tree, reject: false, timeout: timeoutMs });
  const reports: readonly SimulationReport[] = stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : JSON.parse(line)));
  const failed = reports.find((report) => report.kind === 'failed');
  if (failed !== undefined) {
    const { seed, message, steps } = failed.failure;
    return { noticed: true, text: `history ${seed}, ${steps.length} steps: ${message}` };
  }
  if (reports.at(-1)?.kind === 'done') return { noticed: false, text: `SURVIVED ${mostHistories} histories` };
  return { noticed: false, text: `ERROR: ${stderr.trim().split('\n').at(-1) ?? 'it ended'}` };
}
