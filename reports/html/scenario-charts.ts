import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import { clockSeconds } from '../../src/timeline/duration.ts';
import type { BackoffRow, ScenarioRecord } from '../../src/timeline/record.ts';
import { backoffTable } from '../backoff-table.ts';
import { linearScale, renderChart, thin } from './chart.ts';
import { type Html, html } from './markup.ts';

/** Predicted and observed delays of a crash loop as a chart and a table. */
export function renderBackoff(rows: readonly BackoffRow[], clockScale: number): Html {
  const { caption, head, rows: lines } = backoffTable(rows, clockScale);
  return html`<section><h5>The kubelet’s back-off</h5><p>${caption}</p>${picture(rows)}
<div class="scroll" tabindex="0" role="group" aria-label="Back-off, predicted and observed"><table class="plain"><thead><tr>${head.map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>${lines.map((cells) => html`<tr>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>`)}</tbody></table></div></section>`;
}

function picture(rows: readonly BackoffRow[]): Html | undefined {
  const observed = rows.flatMap(({ crash, observedMs }) =>
    observedMs === undefined ? [] : [[crash, observedMs / 1e3] as const],
  );
  if (rows.length < 2) return undefined;
  const predicted = rows.map(({ crash, predictedMs }) => [crash, predictedMs / 1e3] as const);
  const highest = Math.max(...[...predicted, ...observed].map(([, seconds]) => seconds), 1);
  const first = rows[0]?.crash ?? 1;
  const last = rows.at(-1)?.crash ?? first;
  const every = Math.ceil(rows.length / 12);
  return renderChart({
    title: 'Delay before each restart, in seconds of the kubelet’s clock',
    says: rows
      .map(
        ({ crash, predictedMs, observedMs }) =>
          `crash ${crash}: predicted ${predictedMs / 1e3} s, observed ${observedMs === undefined ? 'none' : `${(observedMs / 1e3).toFixed(1)} s`}`,
      )
      .join('; '),
    x: {
      from: first - 0.3,
      to: last + 0.3,
      ticks: rows.filter((_, i) => i % every === 0).map(({ crash }) => ({ at: crash, name: String(crash) })),
    },
    y: linearScale(highest, (seconds) => `${Number(seconds.toFixed(2))} s`),
    series: [
      { name: 'predicted', tone: 2, as: 'line', points: predicted },
      { name: 'observed', tone: 1, as: 'points', points: observed },
    ],
  });
}

const shownPoints = 200;

/** Number of lines in the mount tables of node and pods over time, from the first snapshot to the last. */
export function mountLinesOver({ events }: Pick<ScenarioDigest, 'events'>): (readonly [at: number, lines: number])[] {
  const snapshots = events.filter((event) => event.kind === 'snapshot');
  const before = new Map<string, { readonly at: number; readonly lines: number }>();
  for (const { where, at, lines } of snapshots) {
    if (!before.has(where)) before.set(where, { at, lines: lines.length });
  }
  const last = snapshots.at(-1)?.at;
  if (last === undefined) return [];
  const first = Math.max(...[...before.values()].map(({ at }) => at));
  let lines = [...before.values()].reduce((sum, one) => sum + one.lines, 0);
  const points: [number, number][] = [[first, lines]];
  for (const event of events) {
    if (event.kind !== 'mount' || event.at <= (before.get(event.where)?.at ?? Number.POSITIVE_INFINITY)) continue;
    if (event.at > last) break;
    lines += event.change === 'added' ? 1 : -1;
    const at = Math.max(first, event.at);
    // Additions and removals that were seen together are one change.
    if (points.at(-1)?.[0] === at) points[points.length - 1] = [at, lines];
    else points.push([at, lines]);
  }
  return [...points, [Math.max(first, last), lines]];
}

/** A chart of the size of the mount tables, if there were several crashes. */
export function renderMountGrowth(scenario: ScenarioRecord, digest: Pick<ScenarioDigest, 'events'>): Html | undefined {
  const over = mountLinesOver(digest);
  const [first] = over;
  const last = over.at(-1);
  if (first === undefined || last === undefined || over.length < 3 || scenario.recoveries.length < 2) return undefined;
  const counts = over.map(([, lines]) => lines);
  const [lowest, highest] = [Math.min(...counts), Math.max(...counts)];
  const seconds = (at: number) => (at - scenario.startedAt) / 1e9;
  const x = linearScale(seconds(last[0]), (value) => `${Number(value.toFixed(3))} s`, seconds(first[0]));
  const whole = (value: number) => (Number.isInteger(value) ? String(value) : '');
  return renderChart({
    title: 'Lines of the mount tables of node and pods, over time',
    says: `${first[1]} lines at ${clockSeconds(first[0] - scenario.startedAt)} s, ${last[1]} at the end; between ${lowest} and ${highest}.`,
    x: {
      ...x,
      from: seconds(first[0]),
      to: seconds(last[0]),
      ticks: x.ticks.filter(({ at }) => at >= seconds(first[0]) && at <= seconds(last[0])),
    },
    y: linearScale(highest + 1, whole, Math.max(0, lowest - 1)),
    series: [
      {
        name: 'lines',
        tone: 1,
        as: 'step',
        points: thin(over, shownPoints).map(([at, lines]) => [seconds(at), lines]),
      },
    ],
  });
}
