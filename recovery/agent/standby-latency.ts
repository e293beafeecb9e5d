/**
 * Measures failovers to a standby: `node recovery/agent/standby-latency.ts [PODS] [CRASHES]`, as root. 10 pods and 50 crashes by default.
 *
 * The real engine on the real kernel; a program in the first pod opens and reads a file 1,000 times a second. The connection ends at its
 * first failed read or when the exit of the daemon is noticed, whichever comes first; how long a killed daemon takes until then is a phase
 * of its own. Prints milliseconds.
 */
import { readCounts } from '../command-line.ts';
import { runScenario } from '../linux/fixtures/private-namespace.ts';
import { takePriority } from './priority.ts';

interface FailoverTimes {
  readonly killedAt: number;
  readonly exitAt: number;
  readonly failedAt: number;
  readonly readAt: number;
  /** When the sources had answered. */
  readonly actedAt: number;
  /** After the last mount call. */
  readonly doneAt: number;
  readonly replaced: number;
  /** Microseconds of CPU of the agent. */
  readonly cpu: number;
}

// For all processes of the scenario, so that other programs on the machine disturb it less.
takePriority();
const [consumers, crashes] = readCounts(
  'node recovery/agent/standby-latency.ts [PODS, by default 10] [CRASHES, by default 50]',
  [10, 50],
);
const input = { consumers, crashes };
const measured = await runScenario<readonly FailoverTimes[]>('standby', 'latency', { input, timeoutMs: 900_000 });

const endOf = ({ exitAt, failedAt }: FailoverTimes) => Math.min(exitAt, failedAt);
const phases: readonly [string, (each: FailoverTimes) => number][] = [
  ['kill to end of the connection', (each) => endOf(each) - each.killedAt],
  ['end of the connection to first good read', (each) => each.readAt - endOf(each)],
  ['  until the sources have answered', (each) => each.actedAt - endOf(each)],
  ['end of the connection to last mount call', (each) => each.doneAt - endOf(each)],
  ['CPU of the agent', (each) => each.cpu * 1000],
];
process.stdout.write(`${crashes} crashes, ${consumers} pods, ${measured.at(-1)?.replaced} of them replaced\n`);
process.stdout.write(`${''.padEnd(42)}     min  median     p90     p99     max\n`);
for (const [name, duration] of phases) {
  const sorted = measured.map(duration).sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN) / 1e6;
  const figures = [0, 0.5, 0.9, 0.99, 1].map((share) => at(share).toFixed(2).padStart(8)).join('');
  process.stdout.write(`${name.padEnd(42)}${figures}\n`);
}
