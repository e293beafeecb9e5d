import { fileURLToPath } from 'node:url';
import { verbArguments } from '../house/verb-arguments.ts';
import { type Findings, runScenarios, runSimulation, runTests } from './judge.ts';
import { DoesNotApply } from './locate.ts';
import { type Mutant, readMutants } from './mutant.ts';
import { TreeCopy } from './tree-copy.ts';

const usage = `Usage: make mutants ARGS="[--only TEXT]... [--list] [--tests | --simulated] [--unchecked] [--jobs NUMBER]"

Breaks copies of the tree, one breakage at a time in each, and prints which check notices and after how long. The tree itself stays as it is.

  --only TEXT    the breakages of a claim or part, or whose name contains the text; may be repeated
  --list         list them, and break nothing
  --tests        only those that no scenario needs to notice, which takes seconds each
  --simulated    those of the agent's engine, mount calls and CSI service; prints how many simulated histories notice each
  --unchecked    without checking first that the tree is green as it is
  --jobs NUMBER  copies that are worked on at once (default: 2)

Exit status: 0 all were noticed; 1 one survived, does not apply or could not be judged; 2 usage.
`;

const project = fileURLToPath(new URL('..', import.meta.url));
const write = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values, refuse } = verbArguments('mutants', usage, {
    only: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    tests: { type: 'boolean' },
    simulated: { type: 'boolean' },
    unchecked: { type: 'boolean' },
    jobs: { type: 'string' },
  });
  const jobs = Number(values.jobs ?? 2);
  const only = values.only ?? [''];
  if (!Number.isInteger(jobs) || jobs < 1) return refuse(`--jobs takes a number from 1, not "${values.jobs}"`);
  const chosen = readMutants().filter(
    ({ name, breaks, scenarios, edits }) =>
      only.some((text) => breaks === text || name.includes(text)) &&
      (!values.tests || scenarios === undefined) &&
      (!values.simulated || edits.some(({ file }) => isSimulated.test(file))),
  );
  if (chosen.length === 0) return refuse(`no breakage matches ${only.join(' or ')}: --list shows all`);
  if (values.list) {
    for (const { breaks, name, edits } of chosen) write(row([breaks, name, edits.map(({ file }) => file).join(' ')]));
    return 0;
  }
  if (values.simulated) return breakEach(chosen, jobs, simulateOne);
  const red = values.unchecked ? [] : await redBefore(chosen);
  if (red.length > 0) {
    write(`the tree is red without any breakage, so nothing can be shown:\n  ${red.join('\n  ')}`);
    return 1;
  }
  return breakEach(chosen, jobs);
}

const widths = [12, 76, 8];
const row = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');

/** Checks that fail on the unmodified tree, and so cannot detect a breakage. */
async function redBefore(chosen: readonly Mutant[]): Promise<readonly string[]> {
  using tree = new TreeCopy(project);
  const tests = new Set(chosen.flatMap((mutant) => mutant.tests));
  const expressions = new Set(chosen.flatMap(({ scenarios }) => (scenarios === undefined ? [] : [`(${scenarios})`])));
  write(`… checking that the tree is green as it is: ${tests.size} test files, ${expressions.size} tag expressions`);
  const findings = [
    ...(tests.size > 0 ? [await runTests(tree.path, [...tests])] : []),
    ...(expressions.size > 0 ? [await runScenarios(tree.path, [...expressions].join(' or '))] : []),
  ];
  return findings.flatMap((each) => ('error' in each ? [each.error] : each.red));
}

/** Works on several at a time, since a check that turns red mostly waits for what does not come. */
async function breakEach(chosen: readonly Mutant[], jobs: number, judge = tryOut): Promise<number> {
  write(row(['breaks', 'breakage', 'seconds', 'what turned red']));
  const bad: string[] = [];
  const waiting = chosen.values();
  const work = async (): Promise<void> => {
    using tree = new TreeCopy(project);
    for (const mutant of waiting) {
      const start = performance.now();
      const { noticed, text } = await judge(tree, mutant);
      if (!noticed) bad.push(mutant.name);
      write(row([mutant.breaks, mutant.name, ((performance.now() - start) / 1000).toFixed(1), text]));
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, chosen.length) }, work));
  write(`\n${chosen.length} breakages, ${chosen.length - bad.length} noticed.`);
  if (bad.length > 0) write(`Not noticed, or not judged: ${bad.join('; ')}.`);
  return bad.length > 0 ? 1 : 0;
}

/** What `rekindle simulate` runs of the agent. */
const isSimulated = /^recovery\/(engine|csi|linux\/(attach|attributes|carry|publish|replace|stack))/;

async function simulateOne(tree: TreeCopy, { edits }: Mutant): ReturnType<typeof tryOut> {
  try {
    using _broken = tree.breakBy(edits);
    return await runSimulation(tree.path);
  } catch (error) {
    if (error instanceof DoesNotApply) return { noticed: false, text: `ERROR: ${error.message}` };
    throw error;
  }
}

/** Runs the tests first, and scenarios only if those stay green, or if a step of them must turn red. */
async function tryOut(tree: TreeCopy, mutant: Mutant): Promise<{ readonly noticed: boolean; readonly text: string }> {
  const { edits, tests, scenarios, thens } = mutant;
  const green: string[] = [];
  const judges: (() => Promise<Findings>)[] = [
    ...(tests.length > 0 && thens.length === 0 ? [() => runTests(tree.path, tests)] : []),
    ...(scenarios === undefined ? [] : [() => runScenarios(tree.path, scenarios)]),
  ];
  try {
    using _broken = tree.breakBy(edits);
    for (const judge of judges) {
      const findings = await judge();
      if ('error' in findings) return { noticed: false, text: `ERROR: ${findings.error}` };
      const [first, ...more] = findings.red;
      const { steps = [] } = findings;
      if (first !== undefined) {
        const text = [more.length > 0 ? `${first} (and ${more.length} more)` : first, ...steps].join(' | ');
        const missing = thens.find((then) => !steps.includes(then));
        return missing === undefined
          ? { noticed: true, text }
          : { noticed: false, text: `GREEN “${missing}”: ${text}` };
      }
      green.push(...findings.green);
    }
    return { noticed: false, text: `SURVIVED: ${green.length} stayed green, such as ${green[0]}` };
  } catch (error) {
    if (error instanceof DoesNotApply) return { noticed: false, text: `ERROR: ${error.message}` };
    throw error;
  }
}

process.exit(await main());
