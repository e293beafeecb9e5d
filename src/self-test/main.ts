/**
 * Tests the harness: judges each faulty agent (`src/profiles/negative`) by some scenarios. The run must name exactly the claims that
 * the agent breaks, and an agent that breaks none must conform. `main.ts [PROFILE...]` writes to `results/self-test`, and exits with
 * status 1 if an agent was misjudged.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { shippedScenarios } from '../gherkin.ts';
import { parseRecord } from '../timeline/parse.ts';
import { type ExpectedFindings, expectations } from './expectations.ts';
import { differences, findingsOf, isBroken } from './findings.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Locates scenarios as `FILE:LINE`, which the command takes. */
function locateScenarios(names: readonly string[]): readonly string[] {
  const known = shippedScenarios();
  return names.map((name) => {
    const found = known.find((scenario) => scenario.name === name);
    if (!found) throw new Error(`no scenario "${name}"`);
    return `features/${found.uri}:${found.line}`;
  });
}

/** Agents that are judged at the same time; most of the time they wait. */
const agentsAtOnce = 3;

/** Runs the scenarios and returns the differences from the expectation. */
async function judge(expectation: ExpectedFindings): Promise<readonly string[]> {
  const out = join('results/self-test', expectation.profile);
  const scenarios = locateScenarios(expectation.scenarios);
  const args = ['conform', '--profile', expectation.profile, '--jobs', '2', '--out', out, ...scenarios];
  const command = [join(root, 'bin/rekindle.js'), ...args];
  const { exitCode: status } = await execa(process.execPath, command, { cwd: root, stdio: 'ignore', reject: false });
  const expected = isBroken(expectation) ? 1 : 0;
  if (status !== expected)
    return [`the run ended with status ${status}, not ${expected}: see ${out}/latest/report.html`];
  const record = parseRecord(readFileSync(join(root, out, 'latest/record.json'), 'utf8'));
  const { claims, checks } = findingsOf(record);
  say(`${expectation.profile}: named ${[...claims, ...checks.map((name) => `"${name}"`)].join(', ') || 'nothing'}`);
  return differences(expectation, record);
}

const asked = process.argv.slice(2);
const queue = expectations.filter(({ profile }) => asked.length === 0 || asked.includes(profile));

/** Judges one agent after the other until none is left. */
async function judgeNext(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const wrong = await judge(next);
    const right = isBroken(next) ? 'is detected' : 'conforms';
    say(`${wrong.length === 0 ? '✔' : '✘'} ${next.profile} ${wrong.length > 0 ? wrong.join('; ') : right}`);
    if (wrong.length > 0) process.exitCode = 1;
  }
}
await Promise.all(Array.from({ length: agentsAtOnce }, judgeNext));
