import { createHash } from 'node:crypto';
import { judgeClaims } from '../src/timeline/claims.ts';
import { type Digest, digestOf } from '../src/timeline/digest.ts';
import { groupBy } from '../src/timeline/group-by.ts';
import type { Run, RunRecord, ScenarioRecord } from '../src/timeline/record.ts';
import { statuses, statusNames } from '../src/timeline/verdict.ts';
import { anchorFor, type Html, html, render, trusted } from './html/markup.ts';
import {
  describeOutcome,
  renderDistribution,
  renderEnvironment,
  renderFidelity,
  renderMatrix,
  renderNumbers,
  renderVerdict,
} from './html/overview.ts';
import { pack } from './html/pack.ts';
import { pageScript, style } from './html/page-script.ts';
import { renderScenario } from './html/scenario.ts';
import { scenarioData } from './html/scenario-data.ts';
import { definitions } from './html/shapes.ts';
import { flame, themeSwitch } from './html/shell.ts';

/** Failed and inconclusive scenarios are open at first, up to this number. */
const maximumOpen = 4;

/**
 * Renders a run as one self-contained HTML page. Verdict, claims, results and phases are readable without a script and on paper.
 * Time lines and lists are packed, and a small script draws them when they are opened.
 */
export function renderHtml({ record, history }: Run): string {
  return renderPage(record, digestOf(history));
}

export function renderPage(record: RunRecord, digest: Digest): string {
  const { scenarios } = record;
  const blocks: string[] = [];
  let opened = 0;
  const articles = scenarios.map((scenario, i) => {
    const own = digest.of(scenario.id);
    const data = scenarioData(scenario, own);
    if (scenario.status !== 'skipped') {
      const packed = pack(data, own.probes, scenario.startedAt);
      blocks.push(`<script type="application/octet-stream" id="_data-${i + 1}">${packed}</script>`);
    }
    const troubled = scenario.status === 'fail' || scenario.status === 'inconclusive';
    const open = (troubled || scenarios.length <= 3) && opened++ < maximumOpen;
    const { clockScale } = record.fidelity;
    return { scenario, shown: renderScenario({ scenario, digest: own, data, number: i + 1, clockScale, open }) };
  });
  const features = groupBy(articles, ({ scenario }) => scenario.feature);
  const scriptHash = createHash('sha256').update(pageScript).digest('base64');
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="generator" content="rekindle ${record.rekindle}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'">
<title>${describeOutcome(record).title} · Rekindle ${record.runId}</title><style>${trusted(style)}</style></head>
<body>${definitions()}<a class="skip" href="#_main">Skip to the verdict</a>
<header><p class="brand">${flame()}<b>Rekindle</b> <span>run ${record.runId} · ${record.profile} · ${record.cluster}</span></p><div class="controls"><button type="button" id="_help" class="scripted-only" aria-label="Keys of this page">?</button>${themeSwitch()}</div></header>
<main id="_main">${renderVerdict(record)}${renderNumbers(record)}${renderMatrix(record)}${renderDistribution(record)}
<section aria-labelledby="_scenarios"><h2 id="_scenarios">Scenarios</h2>${toolbar(scenarios)}
${[...features].map(
  ([feature, own]) =>
    html`<section class="feature"><h3 id="_feature-${anchorFor(feature)}">${feature}</h3>${own.map(({ shown }) => shown)}</section>`,
)}</section>
${renderFidelity(record)}${renderEnvironment(record)}</main>${keysHelp()}
${trusted(blocks.join('\n'))}
<script>${trusted(pageScript)}</script></body></html>
`;
  return render(page);
}

/** Search and filters. Without the script, only the filter by result works. */
function toolbar(scenarios: readonly ScenarioRecord[]): Html | undefined {
  if (scenarios.length < 2) return undefined;
  const present = statuses.filter((status) => scenarios.some((scenario) => scenario.status === status));
  const claims = judgeClaims(scenarios).flatMap(({ id, scenarios: all }) =>
    all.some(({ scenario }) => scenario.claims.includes(id)) ? [id] : [],
  );
  return html`<div class="toolbar"><label class="search scripted-only"><span class="sr">Search scenarios</span><input type="search" id="_search" placeholder="Search  /" autocomplete="off" spellcheck="false"></label>
<label class="scripted-only"><span class="sr">Claim</span><select id="_claim"><option value="">All claims</option>${claims.map((id) => html`<option>${id}</option>`)}</select></label>
<fieldset class="switch"><legend class="sr">Show</legend>${present.map(
    (status) =>
      html`<label><input type="checkbox" id="_show-${status}" data-status="${status}" checked>${statusNames[status]}</label>`,
  )}</fieldset><span class="shown scripted-only" id="_shown" role="status"></span></div>`;
}

function keysHelp(): Html {
  const keys: readonly (readonly [string, string])[] = [
    ['j  k', 'next, previous scenario'],
    ['Enter', 'open or close it'],
    ['f', 'next scenario that failed or is inconclusive'],
    ['/', 'search: words, claim:C3, is:failed'],
    ['← → + − 0', 'on a timeline: move, zoom, all of it'],
    ['?', 'this list; Esc closes it'],
  ];
  return html`<dialog id="_keys" aria-labelledby="_keys-title"><h2 id="_keys-title">Keys</h2><dl>${keys.map(
    ([key, effect]) =>
      html`<div><dt>${key.split('  ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${effect}</dd></div>`,
  )}</dl><p class="note">A timeline is also zoomed by dragging across it, by Ctrl and the wheel, or by two fingers; a double click shows it all.</p><form method="dialog"><button>Close</button></form></dialog>`;
}
