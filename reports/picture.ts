import { formatNs, formatOffset } from '../src/timeline/duration.ts';
import type { Recovery, ScenarioRecord } from '../src/timeline/record.ts';
import { momentNames, waterfallOf } from '../src/timeline/stages.ts';
import { escapeXml } from './junit.ts';

/** A recovery with its scenario. */
export interface ScenarioRecovery {
  readonly scenario: ScenarioRecord;
  readonly recovery: Recovery;
}

/** The slowest recovery of the scenarios. One after which the pod never read again is the slowest. */
export function slowestRecovery(scenarios: readonly ScenarioRecord[]): ScenarioRecovery | undefined {
  const all = scenarios.flatMap((scenario) => {
    // A scenario may pass without a recovery, and such a crash is not slow.
    const recoveries = scenario.recoveries.filter(
      ({ readable }) => readable !== undefined || scenario.status === 'fail',
    );
    return recoveries.map((recovery) => ({ scenario, recovery }));
  });
  const took = ({ recovery }: ScenarioRecovery) => (recovery.readable ?? Number.POSITIVE_INFINITY) - recovery.crash;
  return all.reduce<ScenarioRecovery | undefined>(
    (worst, one) => (worst && took(worst) >= took(one) ? worst : one),
    undefined,
  );
}

const width = 760;
const left = 190;
const right = 190;
const rowHeight = 28;
const top = 64;

/** Renders a recovery as a waterfall: an SVG file for summaries and attachments, in light and dark. */
export function renderPicture({ scenario, recovery }: ScenarioRecovery): string {
  const rows = waterfallOf(recovery);
  const total = Math.max(...rows.map(({ sinceCrash }) => sinceCrash), 1);
  const outage = recovery.readable === undefined ? undefined : recovery.readable - recovery.crash;
  const verdict = outage === undefined ? 'not readable again' : `outage ${formatNs(outage)}`;
  const height = top + rows.length * rowHeight + 8;
  const bars = rows.slice(1).map(({ moment, sinceCrash, sinceBefore }, i) => {
    const y = top + i * rowHeight;
    const from = left + ((sinceCrash - sinceBefore) / total) * (width - left - right);
    const length = Math.max(3, (sinceBefore / total) * (width - left - right));
    const strong = moment === 'readable' ? ' class="goal"' : '';
    return [
      `<line x1="16" x2="${width - 16}" y1="${y + rowHeight - 6}" y2="${y + rowHeight - 6}" class="grid"/>`,
      `<text x="16" y="${y + 14}"${strong}>${momentNames[moment]}</text>`,
      `<rect x="${from.toFixed(1)}" y="${y + 3}" width="${length.toFixed(1)}" height="13" rx="2" class="${moment === 'daemonReady' ? 'daemon' : moment === 'firstError' || moment === 'readable' ? 'pod' : 'agent'}"/>`,
      `<text x="${width - 100}" y="${y + 14}" class="end${moment === 'readable' ? ' goal' : ''}">${escapeXml(formatNs(sinceBefore))}</text>`,
      `<text x="${width - 16}" y="${y + 14}" class="end soft">${escapeXml(formatOffset(sinceCrash))}</text>`,
    ].join('');
  });
  const title = `${scenario.name}: ${recovery.fault}, ${verdict}`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${escapeXml(title)}</title>
<style>svg{--ink:#16191d;--soft:#565e69;--line:#e2e5e9;--card:#fff;--daemon:#c96a10;--agent:#2b53c9;--pod:#69717d}@media(prefers-color-scheme:dark){svg{--ink:#e8eaed;--soft:#a5adb8;--line:#2d3238;--card:#1a1d21;--daemon:#eda24f;--agent:#8faaff;--pod:#939ca8}}text{font:13px system-ui,sans-serif;fill:var(--ink)}.end{text-anchor:end}.soft{fill:var(--soft)}.goal,.head{font-weight:600}.grid{stroke:var(--line)}.daemon{fill:var(--daemon)}.agent{fill:var(--agent)}.pod{fill:var(--pod)}</style>
<rect width="${width}" height="${height}" rx="10" fill="var(--card)"/>
<text x="16" y="26" class="head">${escapeXml(clip(scenario.name, 72))}</text><text x="${width - 16}" y="26" class="end head">${escapeXml(verdict)}</text>
<text x="16" y="46" class="soft">${escapeXml(clip(`${recovery.fault} · ${recovery.pod}`, 72))}</text><text x="${width - 100}" y="46" class="end soft">took</text><text x="${width - 16}" y="46" class="end soft">after crash</text>
${bars.join('\n')}
</svg>
`;
}

/** Renders a recovery as a Mermaid Gantt chart, for places where GitHub shows no image files. */
export function renderGantt({ scenario, recovery }: ScenarioRecovery): string {
  const word = (text: string) => text.replace(/[^\p{L}\p{N} .,()-]/gu, ' ').trim();
  const rows = waterfallOf(recovery).slice(1);
  // Mermaid accepts whole milliseconds only.
  const lines = rows.map(({ moment, sinceCrash, sinceBefore }) => {
    const from = Math.floor((sinceCrash - sinceBefore) / 1e6);
    const to = Math.max(from + 1, Math.round(sinceCrash / 1e6));
    const look = moment === 'daemonReady' ? 'active, ' : moment === 'readable' ? 'crit, ' : '';
    return `  ${momentNames[moment]} ${word(formatNs(sinceBefore))} :${look}${from}, ${to}`;
  });
  return [
    '```mermaid',
    'gantt',
    `  title ${word(scenario.name)}`,
    '  dateFormat x',
    '  axisFormat %S.%L s',
    ...lines,
    '```',
  ].join('\n');
}

function clip(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
