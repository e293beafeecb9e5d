import { type Command, InvalidArgumentError, Option } from 'commander';
import { agentProgram, profileNames } from '../profiles/load-profile.ts';
import { NoSuchProgram, programOf } from '../run/bench/program.ts';
import type { BenchConditions, BenchOptions } from '../verbs.ts';
import { type ClusterFlags, chosenCluster, clusterOptions } from './cluster-options.ts';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { benchHelp } from './help.ts';
import { chosenProfile, parseCpu, parseTime, sharedOptions, unknown, WrongArgument, wholeNumber } from './options.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';

interface BenchFlags extends RunFlags, ClusterFlags {
  readonly crashes: number;
  readonly warmUp: number;
  readonly fault: string;
  readonly pods: number;
  readonly datasets: number;
  readonly rate: number;
  readonly pacing: number;
  readonly vary?: NonNullable<BenchOptions['vary']>;
  readonly baselines: boolean;
  readonly standby: boolean;
  readonly takeover: boolean;
  readonly crashLoop: boolean;
  readonly baselineCrashes: number;
  readonly deadline: number;
  readonly peer?: string;
  readonly agentCpu?: number;
  readonly idle?: number;
  readonly sandbox: boolean;
}

/** In a crash loop the kubelet's delay has reached its maximum by then. */
const loopCrashes = 10;

/** A parser for each condition of a benchmark. */
const conditions = {
  fault: String,
  pods: wholeNumber(1, 2000),
  datasets: wholeNumber(1, 50),
  rate: wholeNumber(1, 10_000),
  pacing: parseTime,
};

/** `rekindle bench`. */
export function addBench(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const count = wholeNumber(1, 100_000);
  const { pods, datasets, rate, pacing } = conditions;
  const command = program
    .command('bench')
    .description('crash repeatedly and print how long each phase of a recovery takes')
    .option('--crashes <number>', 'number of crashes', count, 50)
    .option('--warm-up <number>', 'uncounted crashes before the first, 0 for none', wholeNumber(0, 1000), 3)
    .option('--fault <name>', 'how the daemon dies', 'sigkill')
    .option('--pods <number>', 'pods of each dataset', pods, 1)
    .option('--datasets <number>', 'datasets, which all crash together', datasets, 1)
    .option('--rate <number>', 'probe operations a second: the resolution', rate, 1000)
    .addOption(
      new Option('--pacing <time>', 'mean of the pauses before each crash, drawn from 0 to twice that')
        .argParser(pacing)
        .default(50, '50ms'),
    )
    .option('--vary <name=values>', 'repeat the benchmark for each value of a condition: pods=1,10,100', parseVary)
    .option(
      '--baselines',
      'also measure the same crashes recovered by a plain poll, by restarting the pod, and not at all',
      false,
    )
    .option('--standby', 'also measure the same crashes with a standby, a second daemon of each dataset', false)
    .option(
      '--takeover',
      'also measure the same crashes with a daemon that continues on the connection, which a keeper holds',
      false,
    )
    .option(
      '--crash-loop',
      "crash the daemon ten times (or --crashes) as soon as the pod reads again, under the kubelet's back-off, with and without a standby",
      false,
    )
    .option('--baseline-crashes <number>', 'largest number of crashes of a baseline', count, 20)
    .addOption(
      new Option('--deadline <time>', 'how long to watch the baseline that does nothing')
        .argParser(parseTime)
        .default(5000, '5s'),
    )
    .option('--peer <command>', "program to run in the agent's place, or a profile that names one")
    .option('--agent-cpu <cpu>', 'CPU limit of the agent, as in 200m', parseCpu)
    .option(
      '--idle <time>',
      'how long to leave the agent idle after the crashes, to count its API requests (default: 0; on Kubernetes 1m)',
      parseTime,
    )
    .option('--no-sandbox', 'on Kubernetes: skip the same crashes in the sandbox, which are measured for comparison');
  for (const option of [...clusterOptions(), ...sharedOptions()]) command.addOption(option);
  command.addHelpText('after', benchHelp).action(async (flags: BenchFlags) => {
    await checkFaults(flags);
    const given = flags.crashLoop ? crashLoopOf(flags, command) : optionsOf(flags);
    const place = await chosenCluster(flags, context);
    if (place.kubernetes) refuseInCluster(given, flags.cluster);
    if (flags.takeover) refuseTakeover(given, flags);
    const besideSandbox = place.kubernetes !== undefined && flags.sandbox && (await sandboxRuns(context));
    const { peer: named, ...others } = given;
    const peer = named === undefined ? undefined : await findPeer(named, context);
    const idleMs = flags.idle ?? (place.kubernetes ? 60_000 : 0);
    const options: BenchOptions = {
      ...runOptions(flags, context),
      ...others,
      ...(peer !== undefined && { peer }),
      ...place,
      idleMs,
      besideSandbox,
    };
    const printed = flags.json && 'bench.json';
    ends(await runVerb(context, ({ bench }) => bench(options), { ...place, printed }));
  });
}

/** Parses `pods=1,10,100`: the benchmark is repeated for each value of one condition. */
function parseVary(text: string): NonNullable<BenchOptions['vary']> {
  const [, name = '', values = ''] = /^([a-z]+)=([^=]+)$/.exec(text) ?? [];
  if (name === '') throw new InvalidArgumentError('Accepted is NAME=VALUE,VALUE as in pods=1,10,100.');
  if (!(name in conditions))
    throw new InvalidArgumentError(`Unknown condition: accepted are ${Object.keys(conditions).join(', ')}.`);
  const parse: (value: string) => unknown = conditions[name as keyof typeof conditions];
  const parsed = values.split(',').map((value) => parse(value.trim()));
  if (new Set(parsed).size < parsed.length) throw new InvalidArgumentError('Each value must be given once.');
  const key = name === 'pacing' ? 'pacingMs' : (name as 'fault' | 'pods' | 'datasets' | 'rate');
  return { name: key, points: parsed.map((value): Partial<BenchConditions> => ({ [key]: value })) };
}

async function checkFaults({ fault, vary }: BenchFlags): Promise<void> {
  // Loaded on demand, because the client library's models take a second to load.
  const { crashFaults } = await import('../faults/catalogue.ts');
  const names = [fault, ...(vary?.points ?? []).flatMap((point) => point.fault ?? [])];
  const bad = names.find((name) => !crashFaults.includes(name));
  if (bad !== undefined) throw unknown('fault', bad, crashFaults);
}

const mostPods = ({ pods, vary }: ReturnType<typeof optionsOf>) =>
  Math.max(pods, ...(vary?.points ?? []).map((point) => point.pods ?? 1));

/** Only the fake daemon knows how, and with several pods a crash is over when each has seen an error and reads again. */
function refuseTakeover(given: ReturnType<typeof optionsOf>, { daemon }: BenchFlags): void {
  if (daemon !== undefined)
    throw new WrongArgument(`${daemon} cannot continue on a connection: omit --daemon or --takeover`);
  if (mostPods(given) > 1) throw new WrongArgument('--takeover is measured with one pod: omit it or --pods');
}

/** Refuses options that only the sandbox supports, before anything starts. */
function refuseInCluster(given: ReturnType<typeof optionsOf>, cluster: string): void {
  const most = mostPods(given);
  const flag = [
    given.baselines && '--baselines',
    given.crashLoop && '--crash-loop',
    given.standby && '--standby',
    given.takeover && '--takeover',
    given.peer !== undefined && '--peer',
    given.agentCpuMillis !== undefined && '--agent-cpu',
    most > 1 && `--pods ${most}`,
  ].find((one) => one !== false);
  if (flag) throw new WrongArgument(`${flag} is for the sandbox: with --cluster ${cluster} omit it`);
}

/** Prints why the sandbox's figures are left out if the sandbox cannot run here. */
async function sandboxRuns({ requirements, environment }: Context): Promise<boolean> {
  const [missing] = await requirements();
  if (missing) environment.stderr.write(`… no sandbox figures for comparison: ${missing.what}: ${missing.remedy}\n`);
  return missing === undefined;
}

function optionsOf(flags: BenchFlags) {
  const {
    agentCpu,
    baselineCrashes,
    baselines,
    crashes,
    datasets,
    deadline,
    fault,
    pacing,
    peer,
    pods,
    rate,
    standby,
    takeover,
  } = flags;
  if (peer?.trim() === '') throw new WrongArgument('bad --peer "": a command is accepted');
  return {
    ...{ crashes, warmUp: flags.warmUp, fault, pods, datasets, rate, pacingMs: pacing },
    ...{ baselines, standby, takeover, crashLoop: flags.crashLoop, baselineCrashes, deadlineMs: deadline },
    ...(flags.vary !== undefined && { vary: flags.vary }),
    ...(peer !== undefined && { peer }),
    ...(agentCpu !== undefined && { agentCpuMillis: agentCpu }),
  };
}

/** A crash loop decides how often and how fast daemons crash. */
function crashLoopOf(flags: BenchFlags, command: Command): ReturnType<typeof optionsOf> {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const other = command.options.find(
    (option) =>
      ['warmUp', 'pacing', 'vary', 'baselines', 'takeover'].includes(option.attributeName()) &&
      isGiven(option.attributeName()),
  );
  if (other !== undefined) throw new WrongArgument(`${other.long} does not go with --crash-loop: omit one of them`);
  const crashes = isGiven('crashes') ? flags.crashes : loopCrashes;
  return { ...optionsOf({ ...flags, crashes, warmUp: 0, pacing: 0, standby: true }), crashLoop: true };
}

/** Finds the program of a profile, or checks that a command's program exists, before anything starts. */
async function findPeer(peer: string, { environment }: Context): Promise<NonNullable<BenchOptions['peer']>> {
  const isProfile = /\.ya?ml$/.test(peer) || (await profileNames()).includes(peer);
  const { profile } = isProfile ? await chosenProfile(peer, environment.cwd) : {};
  if (profile?.volume)
    throw new WrongArgument(
      `bad --peer ${peer}: the benchmark crashes Datasets, and the profile describes a volume; "rekindle conform --profile" measures its outages and stalls`,
    );
  const program = profile && agentProgram(profile);
  if (program && !program.command) throw new WrongArgument(`bad --peer ${peer}: the profile names no agent.command`);
  try {
    programOf(program?.command?.join(' ') ?? peer, environment);
  } catch (error) {
    if (!(error instanceof NoSuchProgram)) throw error;
    throw new WrongArgument(`bad --peer ${JSON.stringify(peer)}: ${error.message}`);
  }
  return program ?? peer;
}
