import type { Command } from 'commander';
import { NoSuchProgram, programOf } from '../run/bench/program.ts';
import type { BenchOptions } from '../verbs.ts';
import { type ClusterFlags, chosenCluster, clusterOptions } from './cluster-options.ts';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { benchHelp } from './help.ts';
import {
  type ConditionParsers,
  parseCount,
  parseCpu,
  parseTime,
  parseVary,
  sharedOptions,
  unknown,
  WrongArgument,
} from './options.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';

interface BenchFlags extends RunFlags, ClusterFlags {
  readonly crashes: string;
  readonly warmUp: string;
  readonly fault: string;
  readonly pods: string;
  readonly datasets: string;
  readonly rate: string;
  readonly pacing: string;
  readonly vary?: string;
  readonly baselines: boolean;
  readonly baselineCrashes: string;
  readonly deadline: string;
  readonly peer?: string;
  readonly agentCpu?: string;
  readonly idle?: string;
  readonly sandbox: boolean;
}

/** `rekindle bench`. */
export function addBench(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('bench')
    .description('crash repeatedly and print how long each phase of a recovery takes')
    .option('--crashes <number>', 'number of crashes', '50')
    .option('--warm-up <number>', 'uncounted crashes before the first, 0 for none', '3')
    .option('--fault <name>', 'how the daemon dies', 'sigkill')
    .option('--pods <number>', 'pods of each dataset', '1')
    .option('--datasets <number>', 'datasets, which all crash together', '1')
    .option('--rate <number>', 'probe operations a second: the resolution', '1000')
    .option('--pacing <time>', 'mean of the pauses before each crash, drawn from 0 to twice that', '50ms')
    .option('--vary <name=values>', 'repeat the benchmark for each value of a condition: pods=1,10,100')
    .option(
      '--baselines',
      'also measure the same crashes recovered by a plain poll, by restarting the pod, and not at all',
      false,
    )
    .option('--baseline-crashes <number>', 'largest number of crashes of a baseline', '20')
    .option('--deadline <time>', 'how long to watch the baseline that does nothing', '5s')
    .option('--peer <command>', "program to run in the agent's place")
    .option('--agent-cpu <cpu>', 'CPU limit of the agent, as in 200m')
    .option(
      '--idle <time>',
      'how long to leave the agent idle after the crashes, to count its API requests (default: 0; on Kubernetes 1m)',
    )
    .option('--no-sandbox', 'on Kubernetes: skip the same crashes in the sandbox, which are measured for comparison');
  for (const option of [...clusterOptions(), ...sharedOptions()]) command.addOption(option);
  command.addHelpText('after', benchHelp).action(async (flags: BenchFlags) => {
    const { crashFaults } = await import('../faults/catalogue.ts');
    const given = optionsOf(flags, crashFaults);
    const place = await chosenCluster(flags, context);
    const idleMs = parseTime(flags.idle ?? (place.kubernetes ? '1m' : '0'), '--idle');
    if (place.kubernetes) refuseInCluster(given, flags.cluster);
    const besideSandbox = place.kubernetes !== undefined && flags.sandbox && (await sandboxRuns(context));
    if (given.peer !== undefined) checkProgram(given.peer, context);
    const options: BenchOptions = { ...runOptions(flags, context), ...given, ...place, idleMs, besideSandbox };
    ends(await runVerb(context, ({ bench }) => bench(options), place));
  });
}

/** Refuses options that only the sandbox supports, before anything starts. */
function refuseInCluster({ pods, vary, ...given }: ReturnType<typeof optionsOf>, cluster: string): void {
  const most = Math.max(pods, ...(vary?.points ?? []).map((point) => point.pods ?? 1));
  const flag = [
    given.baselines && '--baselines',
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

function optionsOf(flags: BenchFlags, faults: readonly string[]) {
  const { agentCpu, baselines, peer, vary } = flags;
  const parsers = parsersFor(faults);
  if (peer?.trim() === '') throw new WrongArgument('bad --peer "": a command is accepted');
  return {
    crashes: parseCount(flags.crashes, { name: '--crashes', most: 100_000 }),
    warmUp: flags.warmUp === '0' ? 0 : parseCount(flags.warmUp, { name: '--warm-up', most: 1000 }),
    ...conditions(flags, parsers),
    baselines,
    baselineCrashes: parseCount(flags.baselineCrashes, { name: '--baseline-crashes', most: 100_000 }),
    deadlineMs: parseTime(flags.deadline, '--deadline'),
    ...(vary !== undefined && { vary: parseVary(vary, parsers) }),
    ...(peer !== undefined && { peer }),
    ...(agentCpu !== undefined && { agentCpuMillis: parseCpu(agentCpu, '--agent-cpu') }),
  };
}

/** Checks that the program exists before anything starts. */
function checkProgram(peer: string, { environment }: Context): void {
  try {
    programOf(peer, environment);
  } catch (error) {
    if (!(error instanceof NoSuchProgram)) throw error;
    throw new WrongArgument(`bad --peer ${JSON.stringify(peer)}: ${error.message}`);
  }
}

function conditions({ fault, pods, datasets, rate, pacing }: BenchFlags, parsers: ReturnType<typeof parsersFor>) {
  return {
    ...parsers.fault(fault),
    ...parsers.pods(pods),
    ...parsers.datasets(datasets),
    ...parsers.rate(rate),
    ...parsers.pacing(pacing),
  };
}

function parsersFor(faults: readonly string[]) {
  return {
    fault(text: string) {
      if (!faults.includes(text)) throw unknown('fault', text, faults);
      return { fault: text };
    },
    pods: (text: string) => ({ pods: parseCount(text, { name: '--pods', most: 2000 }) }),
    datasets: (text: string) => ({ datasets: parseCount(text, { name: '--datasets', most: 50 }) }),
    rate: (text: string) => ({ rate: parseCount(text, { name: '--rate', most: 10_000 }) }),
    pacing: (text: string) => ({ pacingMs: parseTime(text, '--pacing') }),
  } satisfies ConditionParsers;
}
