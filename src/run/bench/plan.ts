import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentSettings } from '../../../clusters/cluster.ts';
import { sandbox } from '../../../clusters/sandbox/sandbox.ts';
import type { ArmName, BenchSeries } from '../../../reports/bench/record.ts';
import { sandboxPrefix } from '../../../reports/bench/text.ts';
import type { BenchConditions, BenchOptions } from '../../verbs.ts';
import { programOf } from './program.ts';
import type { SeriesPlan } from './series.ts';

/** All series of a benchmark in order. The arms of each varied condition follow each other. */
export function planOf(options: BenchOptions): readonly SeriesPlan[] {
  const { agentCpuMillis, kernelTier, vary } = options;
  return (vary?.points ?? [{}]).flatMap((point) => {
    const { fault, pods, datasets, rate, pacingMs }: BenchConditions = { ...options, ...point };
    const prefix = vary ? `${vary.name}=${Object.values(point)[0]}/` : '';
    const conditions = {
      ...{ fault, pods, datasets, rate, pacingMs },
      ...(agentCpuMillis !== undefined && { agentCpuMillis }),
      ...(kernelTier !== undefined && { kernelTier }),
      ...(options.crashLoop && { crashLoop: true as const }),
    };
    return armsFor(options, conditions).map((arm) => ({
      id: `${prefix}${arm.name}`,
      arm,
      conditions,
      idleMs: options.idleMs,
    }));
  });
}

/** The series that a run on a cluster repeats in the sandbox, without `--vary`. */
export function plansInSandbox(options: BenchOptions): readonly SeriesPlan[] {
  if (!options.besideSandbox) return [];
  const { vary: _, ...unvaried } = options;
  return planOf({ ...unvaried, idleMs: 0 }).map((plan) => ({
    ...plan,
    id: `${sandboxPrefix}${plan.id}`,
    inSandbox: true,
  }));
}

/** The sandbox and its folder, which is created. */
export function sandboxIn(resultsDir: string) {
  const folder = join(resultsDir, 'sandbox');
  mkdirSync(folder);
  return { cluster: sandbox, folder };
}

/** A means of recovery and the crashes to measure it with. */
export interface Arm {
  readonly name: ArmName;
  readonly title: string;
  readonly agent: AgentSettings;
  /** What recovers: the agent, the harness by restarting the pods, or nothing. */
  readonly acts: 'agent' | 'harness' | 'nobody';
  readonly crashes: number;
  readonly warmUp: number;
  /** Mean pause before a crash. */
  readonly pacingMs: number;
  /** How long to wait for a recovery. */
  readonly deadlineMs: number;
  readonly program?: NonNullable<BenchSeries['program']>;
  /** Standbys of each dataset. */
  readonly standbys?: number;
  /** The daemons continue on the connection of the dead one. */
  readonly takesOver?: true;
}

const pollAgent = fileURLToPath(new URL('../../../fakes/agents/polling.ts', import.meta.url));
/** Fluid's default `RECOVER_FUSE_PERIOD`. */
const pollMs = 5_000;
const defaultDeadlineMs = 30_000;
/** Crashes of the arm that recovers nothing. */
const unrecoveredCrashes = 2;

/** The arms of a benchmark: the agent under test, then the baselines. */
export function armsFor(options: BenchOptions, { pacingMs }: BenchConditions): readonly Arm[] {
  const { baselines, baselineCrashes, crashes, deadlineMs, kernelTier, peer, warmUp } = options;
  const tier = kernelTier ? { kernelTier } : {};
  const cpu = options.agentCpuMillis ? { cpuMillis: options.agentCpuMillis } : {};
  const recovering = { fuseRecovery: true, ...tier, ...cpu };
  const command = typeof peer === 'object' ? peer.command?.join(' ') : peer;
  const program = command === undefined ? undefined : programOf(command, options.environment);
  const rekindle = { title: "Rekindle's agent", agent: recovering, acts: 'agent' } as const;
  const all = { crashes, warmUp, pacingMs, deadlineMs: defaultDeadlineMs };
  const fewer = { ...all, crashes: Math.min(crashes, baselineCrashes), warmUp: Math.min(warmUp, 1) };
  const tested: Arm = program
    ? {
        ...all,
        name: 'agent',
        title: `peer: ${typeof peer === 'object' ? peer.command?.[0] : program.command}`,
        agent: {
          ...recovering,
          ...(typeof peer === 'object'
            ? peer
            : // The sandbox starts programs in another folder than the user's.
              {
                command: ['sh', '-c', `cd "$0" && exec ${program.command} "$@"`, options.environment.cwd, '{flags}'],
              }),
        },
        acts: 'agent',
        program,
      }
    : { ...all, ...rekindle, name: 'agent' };
  const withStandby: Arm = {
    ...all,
    ...rekindle,
    name: 'standby',
    title: "Rekindle's agent with a standby",
    agent: { ...recovering, standby: true },
    standbys: 1,
  };
  const withTakeover: Arm = {
    ...all,
    ...rekindle,
    name: 'takeover',
    title: 'a daemon that takes the connection over',
    agent: { ...recovering, keeper: {} },
    takesOver: true,
  };
  const ours = [tested, ...(options.standby ? [withStandby] : []), ...(options.takeover ? [withTakeover] : [])];
  if (!baselines) return ours;
  return [
    ...ours,
    ...(program ? [{ ...all, ...rekindle, name: 'rekindle' as const }] : []),
    {
      ...fewer,
      name: 'poll',
      title: `a plain ${pollMs / 1000} s poll with bind mounts`,
      agent: { ...recovering, command: [process.execPath, pollAgent, `--poll-period=${pollMs}`, '{flags}'] },
      acts: 'agent',
      // Spreads the crashes over the poll period. Without a pause, each would wait for nearly a whole period.
      pacingMs: pollMs / 2,
    },
    {
      ...fewer,
      name: 'restart',
      title: 'restarting the pod',
      agent: { fuseRecovery: false, ...tier },
      acts: 'harness',
    },
    {
      ...fewer,
      name: 'nothing',
      title: 'nothing',
      agent: { fuseRecovery: false, ...tier },
      acts: 'nobody',
      crashes: Math.min(fewer.crashes, unrecoveredCrashes),
      warmUp: 0,
      deadlineMs,
    },
  ];
}
