import { copyFileSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { judgeAgain, type Rejudgement } from '../run/judge.ts';
import { describeMachine } from '../run/machine.ts';
import { writeReports, writeRun } from '../run/write-reports.ts';
import { Digest } from '../timeline/digest.ts';
import { forEachEvent } from '../timeline/history.ts';
import { parseRecord, UnreadableRun } from '../timeline/parse.ts';
import type { HistoryEvent, RunRecord } from '../timeline/record.ts';
import { explainVerdict, verdictNames } from '../timeline/verdict.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus, statusForVerdict } from './exit-status.ts';
import { judgeHelp, reportHelp } from './help.ts';
import { jsonOption, toJson, WrongArgument, writableFolder } from './options.ts';

/** `rekindle report`. */
export function addReport(program: Command, { environment }: Context, ends: (status: ExitStatus) => void): void {
  const { cwd, stdout } = environment;
  program
    .command('report')
    .description('regenerate the reports of a run')
    .argument('<results>', 'folder of a run')
    .option('--out <folder>', 'folder for the reports (default: the folder of the run)')
    .addHelpText('after', reportHelp)
    .option('--anyway', 'also accept a run from another machine')
    .action(async (results: string, { out, anyway }: { readonly out?: string; readonly anyway?: true }) => {
      const digest = new Digest();
      const record = readRun({ results, cwd, onEvent: (event) => digest.add(event), digest });
      const elsewhere = anyway ? undefined : findMachineMismatch(record, describeMachine());
      if (elsewhere) {
        throw new WrongArgument(
          `no reports of the run in ${JSON.stringify(results)}: ${elsewhere}, where they are made at the end of the run; --anyway makes them here`,
        );
      }
      const folder = writableFolder(out ?? results, cwd);
      for (const path of await writeReports(folder, { record, digest, cwd })) stdout.write(`${path}\n`);
      ends(exitStatus.conformant);
    });
}

/** The record of the run before it was judged again. */
const originalRecord = 'record.original.json';

/** `rekindle judge`. */
export function addJudge(program: Command, { environment }: Context, ends: (status: ExitStatus) => void): void {
  const { cwd, stdout } = environment;
  program
    .command('judge')
    .description('run the checks of this version over a stored run, and regenerate its reports')
    .argument('<results>', 'folder of a run')
    .option('--out <folder>', 'folder for the new record, the history and the reports (default: the folder of the run)')
    .addOption(jsonOption())
    .addHelpText('after', judgeHelp)
    .action(async (results: string, { out, json }: { readonly out?: string; readonly json?: true }) => {
      const history: HistoryEvent[] = [];
      const digest = new Digest();
      const onEvent = (event: HistoryEvent) => {
        history.push(event);
        digest.add(event);
      };
      const stored = readRun({ results, cwd, onEvent, digest });
      const { record, rejudgements } = judgeAgain({ record: stored, history }, new Date());

      const from = resolve(cwd, results);
      const folder = writableFolder(out ?? results, cwd);
      if (folder !== from) copyFileSync(join(from, 'history.ndjson'), join(folder, 'history.ndjson'));
      else if (record !== stored && !existsSync(join(folder, originalRecord)))
        renameSync(join(folder, 'record.json'), join(folder, originalRecord));
      await writeRun(folder, { record, digest, cwd });

      if (json) {
        stdout.write(toJson({ verdict: record.verdict, stored: stored.verdict, scenarios: rejudgements }));
        return ends(statusForVerdict[record.verdict]);
      }
      for (const line of rejudgements.flatMap(describeRejudgement)) stdout.write(`${line}\n`);
      const differing = rejudgements.filter(({ differences }) => differences.length > 0).length;
      const { verdict } = record;
      const count = `${differing} ${differing === 1 ? 'differs' : 'differ'}`;
      stdout.write(`\n${differing === 0 ? 'Nothing differs' : count} from what was stored.\n`);
      const before = verdict === stored.verdict ? '' : ` (stored: ${verdictNames[stored.verdict]})`;
      stdout.write(`${verdictNames[verdict]}${before}. ${explainVerdict(record)}\n${folder}/report.html\n`);
      ends(statusForVerdict[verdict]);
    });
}

function describeRejudgement({ name, differences, judged, kept }: Rejudgement): readonly string[] {
  const mark = differences.length > 0 ? '✘ differs' : '✔ same   ';
  const counts = `${judged} judged again${kept.length > 0 ? `, ${kept.length} kept` : ''}`;
  return [
    `${mark}  ${name} (${counts})`,
    ...differences.map((line) => `    ${line}`),
    ...kept.map((line) => `    kept: ${line}`),
  ];
}

interface StoredRun {
  readonly results: string;
  readonly cwd: string;
  readonly onEvent: (event: HistoryEvent) => void;
  /** Collects what `onEvent` passes on. */
  readonly digest: Digest;
}

/** Reads the stored run in a folder of results: returns its record, and passes its events on. */
function readRun({ results, cwd, onEvent, digest }: StoredRun): RunRecord {
  const folder = resolve(cwd, results);
  const from = <T>(name: string, read: (path: string) => T): T => {
    try {
      return read(join(folder, name));
    } catch (error) {
      if (error instanceof UnreadableRun) {
        throw new WrongArgument(`cannot read the run in ${JSON.stringify(results)}: ${error.problems.join('; ')}`);
      }
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new WrongArgument(
        `no ${name} in ${JSON.stringify(results)} (${reason}): name the folder of a run, as in results/latest`,
      );
    }
  };
  const record = from('record.json', (path) => parseRecord(readFileSync(path, 'utf8')));
  from('history.ndjson', (path) => forEachEvent(path, onEvent));
  const strange = findHistoryMismatch(record, digest);
  if (strange) throw new WrongArgument(`cannot read the run in ${JSON.stringify(results)}: ${strange}`);
  return record;
}

/** Why a history does not belong to a record, in one sentence; undefined if it does. */
export function findHistoryMismatch(record: RunRecord, digest: Pick<Digest, 'scenarios'>): string | undefined {
  const known = new Set(record.scenarios.map(({ id }) => id));
  const present = [...digest.scenarios];
  if (present.length > 0 && !present.some((id) => known.has(id))) {
    return `history.ndjson is of another run: it mentions ${JSON.stringify(present[0])}, which record.json does not know`;
  }
  const crashed = record.scenarios.filter(({ recoveries }) => recoveries.length > 0);
  const missing = crashed.find(({ id }) => !present.includes(id));
  if (missing === undefined) return undefined;
  const crashes = crashed.flatMap(({ recoveries }) => recoveries).length;
  return present.length === 0
    ? `history.ndjson is empty, but record.json has ${crashes} ${crashes === 1 ? 'crash' : 'crashes'}`
    : `history.ndjson is of another run or incomplete: it lacks ${JSON.stringify(missing.id)}, whose crashes are in record.json`;
}

/** How the machine of a run differs from this one, in words; undefined if it does not. */
export function findMachineMismatch(record: RunRecord, here: RunRecord['machine']): string | undefined {
  const there = record.machine;
  const differs = (['os', 'kernel', 'cpus', 'memoryBytes'] as const).some((part) => there[part] !== here[part]);
  return differs ? `it was made on another machine (${describe(there)}; this one: ${describe(here)})` : undefined;
}

function describe({ os, kernel, cpus, memoryBytes }: RunRecord['machine']): string {
  return `${os}, kernel ${kernel}, ${cpus} CPUs, ${(memoryBytes / 1024 ** 3).toFixed(1)} GiB`;
}
