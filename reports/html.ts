import { type Html, html, render, trusted } from './html/markup.ts';
import { renderMatrix } from './html/matrix.ts';
import { renderEnvironment, renderFidelity, renderNumbers, renderVerdict } from './html/overview.ts';
import { renderScenario } from './html/scenario.ts';
import { definitions } from './html/shapes.ts';
import { style } from './html/style.ts';
import type { Run, ScenarioRecord } from './record.ts';
import { statuses, statusNames, verdictNames } from './verdict.ts';

/**
 * A run as one HTML page that needs nothing but itself: no network, no script. Theme and filter are form controls that the
 * style sheet looks at; details open and close by themselves.
 */
export function renderHtml({ record, history }: Run): string {
  const { scenarios } = record;
  const events = Map.groupBy(history, (event) => event.scenario);
  const numbered = scenarios.map((scenario, i) => ({ scenario, number: i + 1 }));
  const features = Map.groupBy(numbered, ({ scenario }) => scenario.feature);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="generator" content="rekindle ${record.rekindle}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${verdictNames[record.verdict]} · Rekindle ${record.runId}</title><style>${trusted(style)}</style></head>
<body>${definitions()}<a class="skip" href="#_main">Skip to the verdict</a>
<header><p class="brand">${flame()}<b>Rekindle</b> <span>run ${record.runId} · ${record.profile} · ${record.cluster}</span></p>${themeSwitch()}</header>
<main id="_main">${renderVerdict(record)}${renderFidelity(record)}${renderNumbers(record)}${renderMatrix(record)}
<section aria-labelledby="_scenarios"><div class="row"><h2 id="_scenarios">Scenarios</h2>${filter(scenarios)}</div>
${[...features].map(
  ([feature, own]) =>
    html`<section class="feature"><h3>${feature}</h3>${own.map(({ scenario, number }) =>
      renderScenario({
        scenario,
        number,
        clockScale: record.fidelity.clockScale,
        events: events.get(scenario.id) ?? [],
        open: scenarios.length <= 3 || scenario.status === 'fail' || scenario.status === 'inconclusive',
      }),
    )}</section>`,
)}</section>
${renderEnvironment(record)}</main></body></html>
`;
  return render(page);
}

function themeSwitch(): Html {
  const themes = ['auto', 'light', 'dark'];
  return html`<fieldset class="switch theme"><legend class="sr">Theme</legend>${themes.map(
    (theme) =>
      html`<label><input type="radio" name="theme" id="_theme-${theme}"${theme === 'auto' && html` checked`}>${theme}</label>`,
  )}</fieldset>`;
}

function filter(scenarios: readonly ScenarioRecord[]): Html | undefined {
  const present = statuses.filter((status) => scenarios.some((scenario) => scenario.status === status));
  if (present.length < 2) return undefined;
  return html`<fieldset class="switch"><legend>Show</legend>${present.map(
    (status) => html`<label><input type="checkbox" id="_show-${status}" checked>${statusNames[status]}</label>`,
  )}</fieldset>`;
}

function flame(): Html {
  return trusted(
    '<svg class="flame" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M8.6.8c.5 2.6 4.6 4.4 4.6 8.6A5.2 5.2 0 0 1 8 15.2a5.2 5.2 0 0 1-5.2-5.4c0-2 1-3.2 2-4.3.3 1.2.8 1.8 1.5 2.2C6 4.900 7 2.600 8.600.8z"/></svg>',
  );
}
