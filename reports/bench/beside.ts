import { benchPhases, headline, samplesOf } from './phases.ts';
import type { BenchRecord, BenchSeries } from './record.ts';
import { quantileOf, sortedCopy } from './statistics.ts';
import { formatMs, inColumns } from './table.ts';

/** How an outage is split between those who have a part in it. */
const parts = ['kubelet', 'daemon-start', headline.agent, headline.whole] as const;
/** The agent's part on a real cluster, in milliseconds. */
const goal = { median: 10, worst: 100 } as const;

/** What goes before the id of a series that was measured in the sandbox, beside a cluster. */
export const sandboxPrefix = 'sandbox/';

/** A cluster's series beside the sandbox's of the same crashes, part by part: median and worst. */
export function besideText({ series, cluster }: Pick<BenchRecord, 'series' | 'cluster'>): readonly string[] {
  const pairs = series.flatMap((one) => {
    const other = series.find(({ id }) => id === `${sandboxPrefix}${one.id}`);
    return other ? [[one, other] as const] : [];
  });
  return pairs.flatMap(([one, other]) => {
    const phases = parts.flatMap((name) => benchPhases.filter((phase) => phase.name === name));
    const rows = phases.map((phase) => [
      `  ${phase.says}`,
      ...[one, other].flatMap(({ crashes }) => {
        const took = sortedCopy(samplesOf(crashes, phase));
        return [formatMs(quantileOf(took, 0.5)), formatMs(quantileOf(took, 1))];
      }),
    ]);
    const head = ['  milliseconds', `${cluster}: median`, 'worst', 'sandbox: median', 'worst'];
    return ['', `${one.id}: ${cluster} beside the sandbox`, ...inColumns([head, ...rows]), ...goalText(one)];
  });
}

function goalText({ crashes }: BenchSeries): readonly string[] {
  const phase = benchPhases.find(({ name }) => name === headline.agent);
  const took = phase ? sortedCopy(samplesOf(crashes, phase)) : [];
  if (took.length === 0) return [];
  const [median, worst] = [quantileOf(took, 0.5), quantileOf(took, 1)];
  const kept = median <= goal.median && worst <= goal.worst;
  return [
    `  ${kept ? '✔' : '✘'} the agent’s part: median ${formatMs(median)} ms (goal ${goal.median}), worst of ${took.length} ${formatMs(worst)} ms (goal ${goal.worst})`,
  ];
}
