import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Budget, judgeBudget, parseBudget } from '../../reports/bench/budget.ts';
import { compareBenches, compareDefaults, type Difference, findDifferences } from '../../reports/bench/compare.ts';
import { renderComparison } from '../../reports/bench/html.ts';
import { parseBench } from '../../reports/bench/parse.ts';
import type { BenchRecord } from '../../reports/bench/record.ts';
import { budgetText, comparisonText } from '../../reports/bench/text.ts';
import { UnreadableRun } from '../timeline/parse.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { compareHelp } from './help.ts';
import { jsonOption, toJson, unknown, WrongArgument } from './options.ts';

interface CompareFlags {
  readonly failOn: readonly string[];
  readonly budget: readonly string[];
  readonly tolerance: string;
  readonly anyway: boolean;
  readonly html?: string;
  readonly json?: true;
}

/** A benchmark with the name that the user gave. */
interface NamedBench {
  readonly name: string;
  readonly record: BenchRecord;
}

const verdicts: readonly Difference[] = ['better', 'same', 'worse', 'cannot tell'];
const collect = (value: string, before: readonly string[]) => [...before, value];

/** `rekindle compare`. */
export function addCompare(program: Command, { environment }: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('compare')
    .description('compare runs of bench, phase by phase')
    .argument('<runs...>', 'two or more result folders or bench.json files')
    .option(
      '--fail-on <verdict>',
      `exit with status 1 at this verdict: ${verdicts.join(', ')}; repeatable`,
      collect,
      [],
    )
    .option(
      '--budget <limit>',
      '[PHASE.]FIGURE=TIME that every run except the first must meet; repeatable',
      collect,
      [],
    )
    .option('--tolerance <percent>', 'largest irrelevant difference, in percent of the reference', '15')
    .option('--html <file>', 'also write the last comparison as an HTML page with overlaid distributions')
    .option('--anyway', 'compare runs even if their differences mean nothing', false)
    .addOption(jsonOption())
    .addHelpText('after', compareHelp)
    .action((names: readonly string[], flags: CompareFlags) => {
      const failOn = flags.failOn.map(parseVerdict);
      const budgets = flags.budget.map(budgetOf);
      const options = { ...compareDefaults, tolerance: parseTolerance(flags.tolerance) };
      const [reference, ...others] = names.map((name) => ({ name, record: readBench(name, environment.cwd) }));
      if (!reference || others.length === 0) throw new WrongArgument('compare takes two runs or more');
      const say = (lines: readonly string[]) => {
        if (!flags.json) for (const line of lines) environment.stdout.write(`${line}\n`);
      };
      let failed = false;
      const comparisons: unknown[] = [];
      for (const other of others) {
        const differing = comparable(reference, other, flags.anyway);
        say(['', `${reference.name} → ${other.name}`, ...differing.map((line) => `  not alike: ${line}`)]);
        const changes = compareBenches(reference.record, other.record, options);
        say(comparisonText(changes, options.confidence));
        if (flags.html !== undefined) {
          const page = renderComparison(reference, other, changes, options.confidence);
          writePage(resolve(environment.cwd, flags.html), page);
        }
        const results = budgets.flatMap((budget) => judgeBudget(budget, other.record));
        say(results.length > 0 ? ['', ...budgetText(results)] : []);
        comparisons.push({ before: reference.name, after: other.name, differing, changes, budgets: results });
        failed ||= results.some(({ isMet }) => !isMet);
        failed ||= changes.some(({ id, verdict }) => isTested(reference.record, id) && failOn.includes(verdict));
      }
      if (flags.json) environment.stdout.write(toJson(comparisons));
      ends(failed ? exitStatus.notConformant : exitStatus.conformant);
    });
}

/** A gate judges the agent, never a baseline. */
function isTested(record: BenchRecord, id: string): boolean {
  return record.series.find((series) => series.id === id)?.arm === 'agent';
}

/** The accepted differences in conditions between two runs. @throws WrongArgument if they are not comparable */
function comparable(reference: NamedBench, other: NamedBench, anyway: boolean): readonly string[] {
  const of = `${JSON.stringify(reference.name)} and ${JSON.stringify(other.name)}`;
  const ids = reference.record.series.map(({ id }) => id);
  if (!other.record.series.some(({ id }) => ids.includes(id)))
    throw new WrongArgument(
      `${of} have no series in common: ${ids.join(', ')}; ${other.record.series.map(({ id }) => id).join(', ')}`,
    );
  const differing = findDifferences(reference.record, other.record);
  if (differing.length > 0 && !anyway)
    throw new WrongArgument(`${of} cannot be compared: ${differing.join('; ')}; --anyway compares them nevertheless`);
  return differing;
}

function writePage(path: string, page: string): void {
  try {
    writeFileSync(path, page);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new WrongArgument(`bad --html: ${JSON.stringify(path)} cannot be written (${reason})`);
  }
}

function readBench(name: string, cwd: string): BenchRecord {
  const path = resolve(cwd, name);
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'bench.json') : path;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new WrongArgument(
      `no benchmark in ${JSON.stringify(name)} (${reason}): name the folder of a run of rekindle bench, or its bench.json`,
    );
  }
  try {
    return parseBench(text, name);
  } catch (error) {
    if (!(error instanceof UnreadableRun)) throw error;
    throw new WrongArgument(`cannot compare: ${error.problems.join('; ')}`);
  }
}

function parseVerdict(text: string): Difference {
  const verdict = verdicts.find((one) => one === text || one.replace(' ', '-') === text);
  if (verdict === undefined) throw unknown('verdict', text, verdicts);
  return verdict;
}

function budgetOf(text: string): Budget {
  const budget = parseBudget(text);
  if ('problem' in budget) throw new WrongArgument(budget.problem);
  return budget;
}

function parseTolerance(text: string): number {
  const percent = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : -1;
  if (percent >= 0 && percent <= 100) return percent / 100;
  throw new WrongArgument(`bad --tolerance ${JSON.stringify(text)}: accepted are percents from 0 to 100`);
}
