import { clockSeconds } from '../duration.ts';
import type { HistoryEvent, ScenarioRecord } from '../record.ts';
import { type Html, html } from './markup.ts';

type Snapshot = Extract<HistoryEvent, { kind: 'snapshot' }>;
type Change = { readonly sign: ' ' | '+' | '−'; readonly line: string };

/** Mount tables as they were taken, each as a difference to the one before it at the same place. */
export function renderMounts(scenario: ScenarioRecord, events: readonly HistoryEvent[]): Html | undefined {
  const snapshots = events.filter((event) => event.kind === 'snapshot').sort((a, b) => a.at - b.at);
  if (snapshots.length === 0) return undefined;
  const places = Map.groupBy(snapshots, (snapshot) => snapshot.where);
  return html`<details class="inner"><summary><span>Mount tables <small>${[...places.keys()].join(', ')}</small></span></summary>${[
    ...places,
  ].map(([where, own]) =>
    own.map((snapshot, i) => {
      const title = `${where}, ${snapshot.label}`;
      return html`<h6>${title} <small>at ${clockSeconds(snapshot.at - scenario.startedAt)} s, ${snapshot.lines.length} lines</small></h6>
<ol class="log mountinfo" tabindex="0" aria-label="${title}">${changes(own[i - 1], snapshot).map(
        ({ sign, line }) =>
          html`<li class="${sign === '+' ? 'added' : sign === '−' ? 'removed' : 'same'}"><b>${sign}</b><code>${line}</code></li>`,
      )}</ol>`;
    }),
  )}</details>`;
}

/** Lines that went, then the table as it is, new lines marked. A line that stands twice counts twice. */
export function changes(before: Pick<Snapshot, 'lines'> | undefined, now: Pick<Snapshot, 'lines'>): Change[] {
  if (before === undefined) return now.lines.map((line) => ({ sign: ' ', line }));
  const left = new Map<string, number>();
  for (const line of before.lines) left.set(line, (left.get(line) ?? 0) + 1);
  const shown = now.lines.map((line): Change => {
    const known = left.get(line) ?? 0;
    left.set(line, known - 1);
    return { sign: known > 0 ? ' ' : '+', line };
  });
  const gone = [...left].flatMap(([line, times]) =>
    Array.from({ length: Math.max(0, times) }, (): Change => ({ sign: '−', line })),
  );
  return [...gone, ...shown];
}
