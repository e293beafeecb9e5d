/**
 * Measures whether neighbours delay a recovery: `node recovery/agent/neighbours.ts [--judge]`, as root.
 *
 * Recovers one dataset again and again with the real engine on the real kernel: alone; beside 50 FUSE mounts that never answer, 20 whose daemon
 * is stopped and 5 that answer after 30 s, as other drivers' mounts; and with these as sources of other datasets. In both cases a process
 * has 100,000 descriptors, or several have together if one may not. Prints milliseconds from the new daemon's readiness until the pod's mount is replaced,
 * what was decided about neighbours, and the memory of the processes that wait for 100 hung connections. Ends with status 1 if anything
 * else was decided than that a dataset's daemon does not answer, or if the memory is more than 64 MB; with `--judge` also if a recovery takes
 * significantly longer beside neighbours, by the 99 % intervals of the medians. Takes one or two minutes.
 */
import { runScenario } from '../linux/fixtures/private-namespace.ts';
import { measureHungConnections } from './memory.ts';

interface RunBesideNeighbours {
  readonly owner: string;
  /** Number of descriptors of the crowded processes. */
  readonly crowded: number;
  /** Milliseconds. */
  readonly took: readonly number[];
  readonly demo: readonly string[];
  readonly neighbours: readonly string[];
}

function quantile(sorted: readonly number[], share: number): string {
  const value = sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
  return value.toFixed(2).padStart(8);
}

/** The interval in which the median lies with 99 % confidence, from ranks of the sorted values (normal approximation of the binomial). */
function medianInterval(sorted: readonly number[]): readonly [low: number, high: number] {
  const count = sorted.length;
  const rank = Math.max(0, Math.floor((count - 2.576 * Math.sqrt(count)) / 2));
  return [sorted[rank] ?? Number.NaN, sorted[count - 1 - rank] ?? Number.NaN];
}

const isJudge = process.argv[2] === '--judge';
const measured = await runScenario<readonly RunBesideNeighbours[]>('neighbours', 'sideBySide', { timeoutMs: 600_000 });
process.stdout.write('recoveries       min  median     p90     max  neighbours, and what was decided about them\n');
/** The most that the median of recoveries without neighbours may be. */
let usual = Number.NaN;
for (const [owner, runs] of Map.groupBy(measured, (each) => each.owner)) {
  const took = runs.flatMap((each) => each.took).sort((a, b) => a - b);
  const shares = [0, 0.5, 0.9, 1].map((share) => quantile(took, share)).join('');
  const decided = new Set(runs.flatMap(({ neighbours }) => neighbours));
  const crowd = owner === 'nobody' ? '' : `, ${runs[0]?.crowded} descriptors; ${[...decided].join(', ') || 'nothing'}`;
  process.stdout.write(`${String(took.length).padStart(10)}${shares}  ${owner}${crowd}\n`);
  const [low, high] = medianInterval(took);
  if (owner === 'nobody') usual = high;
  else if (isJudge && !(low <= usual)) {
    process.stdout.write(
      `too slow: a median of at least ${low.toFixed(2)} ms, and of at most ${usual.toFixed(2)} alone\n`,
    );
    process.exitCode = 1;
  }
}

/** Decisions about a dataset whose daemon does not answer. About mounts of other drivers there must be none. */
const trueDecisions = ['noticed', 'skipped hung'];
const falseDecisions = measured.flatMap(({ owner, neighbours }) =>
  neighbours.filter((each) => owner !== 'other datasets' || !trueDecisions.includes(each)),
);
process.stdout.write(
  `false events: ${falseDecisions.length}${falseDecisions.map((each) => `\n  ${each}`).join('')}\n\n`,
);
if (falseDecisions.length > 0) process.exitCode = 1;
await measureHungConnections(100);
