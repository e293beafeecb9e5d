import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { claims } from '../timeline/claims.ts';
import { type ChosenCluster, type ClusterFlags, chosenCluster, clusterOptions } from './cluster-options.ts';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { conformHelp } from './help.ts';
import {
  checkTags,
  chosenProfile,
  featurePaths,
  sharedOptions,
  unknown,
  WrongArgument,
  wholeNumber,
} from './options.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';

/** Scenarios wait more than they work. */
const defaultJobs = Math.min(8, availableParallelism() + 2);

interface ConformFlags extends RunFlags, ClusterFlags {
  readonly tags?: string;
  readonly all?: true;
  readonly onlyFailed?: true;
  readonly profile: string;
  readonly jobs?: number;
  readonly node?: string;
  readonly require?: string;
}

/** `rekindle conform`. */
export function addConform(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('conform')
    .description('judge an implementation against the documented promises')
    .argument('[features...]', 'feature files or folders')
    .option('--all', 'all shipped scenarios except those tagged @long: every fault, every limit in depth, bad input')
    .option('--tags <expression>', 'only scenarios with these tags, as in "@C2 and not @L1"')
    .option('--only-failed', 'only the scenarios that failed or were inconclusive in the last run, with its seed')
    .addOption(new Option('--profile <name|file>', 'implementation to judge and what it promises').default('rekindle'))
    .option(
      '--node <conditions>',
      'sandbox: run all scenarios on a node under these conditions, as in slow-listing,hung-neighbours',
    )
    .option('--require <claims>', 'fail the run if one of these claims was skipped, as in C3,L2')
    .option(
      '--jobs <number>',
      'scenarios to run in parallel, each in its own sandbox (default: processors + 2, at most 8) or cluster of kind (default: 1)',
      wholeNumber(1, 64),
    );
  for (const option of [...clusterOptions(), ...sharedOptions()]) command.addOption(option);
  command.addHelpText('after', conformHelp).action(async (features: string[], flags: ConformFlags) => {
    const { environment } = context;
    const { profile, source } = await chosenProfile(flags.profile, environment.cwd);
    const place = await chosenCluster(flags, context, profile);
    // Otherwise Rekindle's own agent would be judged under the name of another.
    const { agent } = profile;
    if (place.cluster !== 'existing' && !(agent && (place.cluster === 'sandbox' || agent.command === undefined)))
      throw new WrongArgument(
        `the profile ${profile.name} has no agent for --cluster ${place.cluster}: install it in a cluster of yours, and use --cluster existing`,
      );
    const given = featurePaths(features, environment.cwd);
    const tags = flags.tags === undefined ? {} : { tags: checkTags(flags.tags, await shippedTags()) };
    if (flags.all && (flags.tags !== undefined || given.length > 0))
      throw new WrongArgument('--all selects every scenario: omit it, or the tags and paths');
    if (flags.onlyFailed && (flags.all || flags.tags !== undefined || given.length > 0))
      throw new WrongArgument('--only-failed selects the scenarios: omit it, or --all, the tags and paths');
    const all = flags.all ? { all: true } : {};
    const jobs = jobsOf(flags.jobs, place);
    const conditions = await parseConditions(flags.node, place);
    const required = flags.require === undefined ? {} : { required: parseClaims(flags.require) };
    const shared = runOptions(flags, context);
    const again = flags.onlyFailed ? await notPassed(join(shared.out, 'latest'), profile.name) : undefined;
    const options = {
      ...shared,
      ...(again && flags.seed === undefined && { seed: again.seed }),
      ...tags,
      ...all,
      ...required,
      ...place,
      profile: source,
      paths: again?.paths ?? given,
      jobs,
      conditions,
      flags: givenFlags(command),
    };
    const printed = flags.json && 'record.json';
    ends(await runVerb(context, ({ conform }) => conform(options), { ...place, printed }));
  });
}

/** Flags that say which scenarios run, how many at a time, and where results and cluster stay. */
const selecting = new Set(['--all', '--tags', '--only-failed', '--jobs', '--seed', '--keep']);

/** The other flags of the command line, as words. */
function givenFlags(command: Command): readonly string[] {
  return command.options.flatMap((option) => {
    const { long } = option;
    const name = option.attributeName();
    if (!long || selecting.has(long) || command.getOptionValueSource(name) !== 'cli') return [];
    const value: unknown = command.getOptionValue(name);
    return value === true ? [long] : [long, String(value)];
  });
}

/** The scenarios of a run that neither passed nor were skipped, as absolute paths, and its seed. @throws WrongArgument */
async function notPassed(folder: string, profile: string) {
  const [{ readRecord }, { featurePath }] = await Promise.all([import('../api/read-run.ts'), import('../gherkin.ts')]);
  const record = await readRecord(folder).catch((error: unknown) => {
    throw new WrongArgument(`--only-failed needs a finished run in ${folder}: ${(error as Error).message}`);
  });
  const [, verb] = record.command;
  if (verb !== 'conform')
    throw new WrongArgument(`--only-failed needs a run of conform, and the last one in ${folder} is one of ${verb}`);
  if (record.profile !== profile)
    throw new WrongArgument(`the last run judged the profile ${record.profile}: add --profile ${record.profile}`);
  const open = record.scenarios.filter(({ status }) => status === 'fail' || status === 'inconclusive');
  if (open.length === 0) throw new WrongArgument(`nothing failed in ${folder}: there is nothing to run again`);
  return { seed: record.seed, paths: open.map(({ uri, line }) => `${featurePath(uri)}:${line}`) };
}

function parseClaims(given: string): readonly string[] {
  const names = [...new Set(given.split(','))];
  for (const name of names) if (!(name in claims)) throw unknown('claim', name, Object.keys(claims));
  return names;
}

async function parseConditions(given: string | undefined, { cluster }: ChosenCluster): Promise<readonly string[]> {
  if (given === undefined) return [];
  if (cluster !== 'sandbox')
    throw new WrongArgument(`--node is for the sandbox: with --cluster ${cluster} the nodes are what they are`);
  const { conditions, findCondition, spelling } = await import('../../clusters/sandbox/conditions/catalogue.ts');
  const names = given.split(',');
  const known = [...conditions.values()].map(spelling);
  for (const name of names) if (!findCondition(name)) throw unknown('node condition', name, known);
  return [...new Set(names)];
}

/** Scenarios in parallel need a cluster each, of which kind creates several. */
function jobsOf(jobs: number | undefined, { kubernetes, cluster }: ChosenCluster): number {
  if (kubernetes === undefined) return jobs ?? defaultJobs;
  if (jobs !== undefined && jobs > 1 && cluster !== 'kind')
    throw new WrongArgument(
      `--jobs ${jobs} is for the sandbox and kind: with --cluster ${cluster} scenarios share one cluster`,
    );
  return jobs ?? 1;
}

async function shippedTags(): Promise<readonly string[]> {
  const { shippedScenarios } = await import('../gherkin.ts');
  return [...new Set(shippedScenarios().flatMap(({ tags }) => tags))].toSorted();
}
