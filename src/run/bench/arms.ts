import { fileURLToPath } from 'node:url';
import type { AgentOptions } from '../../../clusters/cluster.ts';
import type { ArmName, BenchSeries } from '../../../reports/bench/record.ts';
import type { BenchConditions, BenchOptions } from '../../verbs.ts';
import { programOf } from './program.ts';

/** What brings the data back after each crash of a series. */
export interface Arm {
  readonly name: ArmName;
  readonly title: string;
  readonly agent: AgentOptions;
  /** Who acts: the agent by itself, the harness by restarting the pods, or nobody. */
  readonly acts: 'agent' | 'harness' | 'nobody';
  readonly crashes: number;
  readonly warmUp: number;
  /** Mean of the pauses before a crash. */
  readonly pacingMs: number;
  /** How long a crash is waited for. */
  readonly deadlineMs: number;
  readonly program?: NonNullable<BenchSeries['program']>;
}

const pollAgent = fileURLToPath(new URL('../../../fakes/agents/polling.ts', import.meta.url));
/** As Fluid's default: `RECOVER_FUSE_PERIOD`. */
const pollMs = 5_000;
const patienceMs = 30_000;
/** Nobody has to see twice that nothing comes of nothing. */
const hopeless = 2;

/** The arms of a benchmark: the agent under test first, then what it is measured against. */
export function armsOf(options: BenchOptions, { pacingMs }: BenchConditions): readonly Arm[] {
  const { baselines, baselineCrashes, crashes, deadlineMs, kernelTier, peer, warmUp } = options;
  const tier = kernelTier ? { kernelTier } : {};
  const cpu = options.agentCpuMillis ? { cpuMillis: options.agentCpuMillis } : {};
  const recovering = { fuseRecovery: true, ...tier, ...cpu };
  const program = peer === undefined ? undefined : programOf(peer, options.environment);
  const rekindle = { title: "Rekindle's agent", agent: recovering, acts: 'agent' } as const;
  const all = { crashes, warmUp, pacingMs, deadlineMs: patienceMs };
  const fewer = { ...all, crashes: Math.min(crashes, baselineCrashes), warmUp: Math.min(warmUp, 1) };
  const tested: Arm = program
    ? {
        ...all,
        name: 'agent',
        title: `peer: ${program.command}`,
        // In the sandbox programs start in another folder than the user's.
        agent: {
          ...recovering,
          command: ['sh', '-c', `cd "$0" && exec ${program.command} "$@"`, options.environment.cwd],
        },
        acts: 'agent',
        program,
      }
    : { ...all, ...rekindle, name: 'agent' };
  if (!baselines) return [tested];
  return [
    tested,
    ...(program ? [{ ...all, ...rekindle, name: 'rekindle' as const }] : []),
    {
      ...fewer,
      name: 'poll',
      title: `a plain ${pollMs / 1000} s poll with bind mounts`,
      agent: { ...recovering, command: [process.execPath, pollAgent, `--poll-period=${pollMs}`] },
      acts: 'agent',
      // Crashes meet every moment of its period: right after a recovery, each would wait for nearly all of it.
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
      crashes: Math.min(fewer.crashes, hopeless),
      warmUp: 0,
      deadlineMs,
    },
  ];
}
