import type { ProbeColumns, ScenarioDigest } from '../../src/timeline/digest.ts';
import type { ScenarioRecord } from '../../src/timeline/record.ts';
import { trim } from './chart.ts';
import { probeSpans } from './lanes.ts';
import { type Html, html, trusted } from './markup.ts';
import { scenarioAxis } from './scenario-data.ts';
import { lookForResult } from './shapes.ts';

const columns = 80;

/** A scenario in one line: the results of the probe with the most failures. */
export function renderStrip(scenario: ScenarioRecord, digest: ScenarioDigest): Html | undefined {
  const probe = mostFailures(digest.probes);
  if (probe === undefined) return undefined;
  const axis = scenarioAxis(scenario, digest);
  const at = (time: number) => Math.min(100, Math.max(0, ((time - axis.from) / (axis.to - axis.from)) * 100));
  const spans = probeSpans(probe, columns);
  const boxes = spans.map(({ from, to, result }) => {
    const width = Math.max(result === 'ok' ? 0.2 : 0.9, at(to) - at(from));
    const [y, height] = result === 'ok' ? [6, 4] : [1, 14];
    return `<rect x="${trim(at(from))}%" width="${trim(width)}%" y="${y}" height="${height}" class="k-${lookForResult(result).look}"/>`;
  });
  const hangs = digest.events.flatMap((event) => {
    if (event.kind !== 'hang' || event.probe !== probe.probe) return [];
    const width = Math.max(0.9, at(event.at) - at(event.since));
    return [`<rect x="${trim(at(event.since))}%" width="${trim(width)}%" y="1" height="14" class="k-odd"/>`];
  });
  return html`<svg class="glance" aria-hidden="true" focusable="false">${trusted([...boxes, ...hangs.slice(-20)].join(''))}</svg>`;
}

function mostFailures(probes: readonly ProbeColumns[]): ProbeColumns | undefined {
  const failures = (probe: ProbeColumns) => {
    let failed = 0;
    for (let i = 0; i < probe.count; i++) if (probe.result(i) !== 'ok') failed++;
    return failed;
  };
  const counted = probes.filter(({ count }) => count > 0).map((probe) => ({ probe, failed: failures(probe) }));
  return counted.sort((a, b) => b.failed - a.failed)[0]?.probe;
}
