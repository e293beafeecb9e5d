import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { KernelTier } from '../../recovery/engine/model.ts';
import { simulationAsJunit } from '../../reports/junit.ts';
import { type SimulatedFailure, seedVersion } from '../simulate/protocol.ts';
import { runSimulation, type SimulationProgress, type SimulationResult } from '../simulate/run-simulation.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { largestSeed } from './options.ts';

/** What a run until a time may reach. */
const mostSeeds = 10_000_000;

/** Unparsed flags of a simulation of histories. */
export interface HistoryFlags {
  readonly againstKernel: boolean;
  readonly seeds?: number;
  readonly seed?: number;
  /** Milliseconds. */
  readonly until?: number;
  readonly steps: number;
  readonly kernelTier?: KernelTier;
  readonly jobs: number;
  readonly json: boolean;
  readonly junit?: string;
}

/** Runs histories, prints each that fails as a story, and the rate. */
export async function simulateHistories(flags: HistoryFlags, { environment, random }: Context): Promise<ExitStatus> {
  const { stdout, stderr, signal, cwd } = environment;
  const { againstKernel, steps, kernelTier: tier, jobs, json } = flags;
  const { until } = flags;
  const seeds = flags.seeds ?? (until !== undefined ? mostSeeds : flags.seed === undefined ? 1000 : 1);
  const first = flags.seed ?? Math.floor(random() * (largestSeed + 1 - seeds));
  const name = againstKernel ? 'comparisons with the kernel' : 'histories';
  const extent = until === undefined ? `${seeds} ${name}` : `${name} for ${until / 1000} s,`;
  const level = tier === undefined ? '' : `, tier ${tier}`;
  stderr.write(`${extent} of ${steps} steps from seed ${formatSeed(first)}${level}\n`);
  const result = await runSimulation({
    ...{ against: againstKernel ? ('kernel' as const) : ('invariants' as const), mostFailures: 3 },
    ...{ first, seeds, steps, tier, jobs, signal },
    ...(until === undefined ? {} : { endsAt: Date.now() + until }),
    onProgress: (progress) => {
      if (stderr.isTTY) stderr.write(`\r${formatProgress(progress, until === undefined ? seeds : undefined)} `);
    },
    onFailure: (failure) => void stderr.write(`\n${formatFailure(failure, flags)}\n`),
  });
  if (stderr.isTTY) stderr.write('\n');
  if (flags.junit !== undefined) {
    const failures = result.failures.map(junitFailure);
    writeFileSync(resolve(cwd, flags.junit), simulationAsJunit({ name, ...result, failures }));
  }
  if (json) stdout.write(`${JSON.stringify({ seed: formatSeed(first), tier, ...result })}\n`);
  else stdout.write(`${formatResult(result, name)}\n`);
  if (signal.aborted) return exitStatus.interrupted;
  return result.failures.length > 0 ? exitStatus.notConformant : exitStatus.conformant;
}

const formatSeed = (seed: number) => `${seedVersion}:${seed}`;

/** Parses `<version>:<number>`. The version changes whenever a seed means another history. */
export function parseHistorySeed(text: string): number {
  const [, version, number] = /^(?:(\d{1,6}):)?(\d{1,10})$/.exec(text) ?? [];
  const seed = Number(number);
  if (number === undefined || seed > largestSeed)
    throw new InvalidArgumentError(
      `Accepted are whole numbers from 0 to ${largestSeed}, also with a version, as in ${seedVersion}:42.`,
    );
  if (version !== undefined && Number(version) !== seedVersion)
    throw new InvalidArgumentError(
      `It is of version ${version} of the simulation, and this is version ${seedVersion}.`,
    );
  return seed;
}

function formatProgress({ histories, milliseconds }: SimulationProgress, seeds: number | undefined): string {
  const rate = histories / Math.max(milliseconds / 1000, 0.001);
  return `${histories}${seeds === undefined ? '' : ` of ${seeds}`}, ${rate.toFixed(0)} a second`;
}

function formatResult({ histories, steps, milliseconds, failures }: SimulationResult, name: string): string {
  const rate = histories / Math.max(milliseconds / 1000, 0.001);
  const found = failures.length === 0 ? 'none failed' : `${failures.length} failed`;
  return `${histories} ${name}, ${steps} steps in ${(milliseconds / 1000).toFixed(1)} s (${rate.toFixed(1)} a second): ${found}`;
}

function formatFailure(failure: SimulatedFailure, flags: HistoryFlags): string {
  const { seed, message, story } = failure;
  const { againstKernel, steps, kernelTier } = flags;
  const against = againstKernel ? '--against-kernel ' : '';
  const again = `rekindle simulate ${against}--seed ${formatSeed(seed)} --steps ${steps}${kernelTier === undefined ? '' : ` --kernel-tier ${kernelTier}`}`;
  const parts = [`seed ${formatSeed(seed)}: ${message}`, ...story.map((line) => `  ${line}`), `Again: ${again}`];
  if (!againstKernel)
    parts.push('As a test, for src/simulate/node/simulated-run.test.ts:', formatTest(failure, kernelTier ?? '6.5'));
  return parts.join('\n');
}

function formatTest({ message, steps }: SimulatedFailure, tier: KernelTier): string {
  const title = JSON.stringify(`keeps the promise of a history that broke it: ${message}`);
  const history = steps.map((step) => `    ${JSON.stringify(step)},`);
  return [
    `it(${title}, async () => {`,
    '  const history: readonly NodeStep[] = [',
    ...history,
    '  ];',
    `  expect((await replay(history, '${tier}')).failures).toEqual([]);`,
    '}, 240_000);',
  ].join('\n');
}

const junitFailure = ({ seed, message, story }: SimulatedFailure) => ({
  name: `seed ${formatSeed(seed)}`,
  message,
  text: story.join('\n'),
});
