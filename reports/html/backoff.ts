import { backoffTable } from '../../src/timeline/backoff.ts';
import type { BackoffRow } from '../../src/timeline/record.ts';
import { linearScale, renderChart } from './chart.ts';
import { type Html, html } from './markup.ts';

/** Predicted and observed delays of a crash loop, side by side: as a picture, and in numbers. */
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
