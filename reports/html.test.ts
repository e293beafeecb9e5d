import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent, Run, ScenarioRecord } from '../src/timeline/record.ts';
import { sampleRun } from '../src/timeline/testing/sample-run.ts';
import { pageScript } from './html/page-script.ts';
import { renderHtml } from './html.ts';
import { unpack } from './page/unpack.ts';

const sample = sampleRun({ operations: 900 });
const page = renderHtml(sample);
/** What can be read without the script. */
const readable = withoutScripts(page);
const [scenario] = sample.record.scenarios as readonly [ScenarioRecord];
const withScenarios = (...scenarios: ScenarioRecord[]): Run => ({
  record: { ...sample.record, scenarios },
  history: [],
});

function withoutScripts(source: string): string {
  return source.replace(/<script\b[\s\S]*?<\/script>/g, '');
}

/** What the page's script is given of a scenario. */
function packedOf(source: string, number: number) {
  const [, block = ''] = new RegExp(`id="_data-${number}">([^<]*)<`).exec(source) ?? [];
  return unpack(inflateRawSync(Buffer.from(block, 'base64')));
}

/** Names of elements that were opened and not closed, or closed and not opened; empty for a page in order. */
function unbalanced(source: string): string[] {
  const empty = new Set(['meta', 'input', 'br', '!doctype']);
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = '', selfClosed] of source
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .matchAll(/<(\/?)([a-z!][\w-]*)(?:[^>"]|"[^"]*")*?(\/?)>/gi)) {
    if (selfClosed || empty.has(name)) continue;
    if (!slash) open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

describe('renderHtml', () => {
  it('does not call a benchmark conformant', () => {
    const record = { ...sample.record, command: ['rekindle', 'bench'], verdict: 'pass' as const, checks: [] };
    const shown = renderHtml({ record: { ...record, scenarios: [{ ...scenario, steps: [] }] }, history: [] });
    expect(shown).toContain('Recovered each time');
    expect(shown).toContain('bench.html has the figures');
    expect(shown).not.toContain('Conformant');
    expect(shown).not.toContain('<h5>Steps</h5>');
  });

  it('needs nothing from anywhere, and runs its own script only', () => {
    const hash = createHash('sha256').update(pageScript).digest('base64');
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'"`);
    expect(readable).not.toMatch(/<link|<img|<iframe|@import|url\((?!#)|src=|https?:\/\//);
    expect([...readable.matchAll(/href="([^"]*)"/g)].filter(([, href]) => !href?.startsWith('#'))).toEqual([]);
    expect(pageScript).not.toMatch(/<\/script|fetch\(|XMLHttpRequest|innerHTML/);
  });

  it('is in order: balanced, ids unique, every link has its target', () => {
    expect(unbalanced(readable)).toEqual([]);
    const ids = [...readable.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of readable.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
  });

  it('has no number that is none', () => {
    expect(readable).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  it('says the verdict and its sentence before anything else, and how real it was right under it', () => {
    const order = [
      '<h1 id="_verdict">Not conformant</h1>',
      '“three crashes leave the mount table as long as it was” failed: The mount tables',
      '4 of 6 parts stand in for the real thing',
      '>What is wrong<',
      '>Claims<',
      '>Scenarios<',
      'The fake kubelet’s clock runs 10 times as fast',
    ].map((text) => page.indexOf(text));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('links a claim to its scenarios, with the reason of what was skipped', () => {
    const row = page.split('<tr').find((one) => one.includes('After kill 1 in fluid-fuse-0'));
    expect(row).toContain('href="#serverless-crash"');
    expect(row).toContain('8 skipped:</b> The sandbox has no virtual node; run it with --cluster kind.');
  });

  it('opens what failed or is inconclusive, and everything in a short report', () => {
    expect(page.match(/<details open>/g)).toHaveLength(2);
    expect(renderHtml(withScenarios(scenario)).match(/<details open>/g)).toHaveLength(1);
  });

  it('shows the phases with their numbers', () => {
    for (const phase of ['noticed by the agent', 'daemon back', 'mounted on the node', 'mounted in the pod']) {
      expect(page).toContain(`<th scope="row">${phase}</th>`);
    }
  });

  it('says in words what each picture shows', () => {
    const [, whole] = /data-says="(Timeline of “the pod reads again after kill 1[^"]*)"/.exec(page) ?? [];
    expect(whole).toMatch(/outage of \d+ ms/);
    expect(whole).toMatch(/Probe in demo-app: .*ENOTCONN × \d+/);
    const pictures = [...readable.matchAll(/role="img" aria-label="([^"]*)"/g)].map(([, label = '']) => label);
    expect(pictures.filter((label) => label === '')).toEqual([]);
    expect(pictures.some((label) => /crash → readable in the pod: median .* of \d+/.test(label))).toBe(true);
  });

  it('carries the loop, the mount tables and what happened for its script', () => {
    const { scenario: packed, probes } = packedOf(page, 1);
    expect(packed.output.find(({ error }) => error)?.text).toContain('Transport endpoint is not connected');
    expect(packed.tables.map(({ title }) => title.split(/[,:]/)[0])).toEqual([
      'before the fault',
      'during',
      'after the last recovery',
    ]);
    expect(packed.events.some(({ truth }) => truth.startsWith('demo-app ENOTCONN'))).toBe(true);
    expect(probes.map(({ count }) => count)).toEqual([900]);
  });

  it('escapes all text', () => {
    const nasty = '"><script>alert(1)</script>\u001b[0m\ud800';
    const hostile = renderHtml({
      record: {
        ...sample.record,
        runId: nasty,
        profile: nasty,
        leftovers: [nasty],
        scenarios: [
          {
            ...scenario,
            id: nasty,
            name: nasty,
            feature: nasty,
            rule: nasty,
            claims: [nasty],
            reason: nasty,
            status: 'fail',
            recoveries: scenario.recoveries.map((one) => ({ ...one, fault: nasty, errors: { [nasty]: 1 } })),
          },
        ],
      },
      history: hostileHistory(nasty),
    });
    expect(withoutScripts(hostile)).not.toContain('<script');
    expect(hostile.match(/<script/g)).toHaveLength(2);
    expect(hostile).not.toContain('\u001b');
    expect(hostile.isWellFormed()).toBe(true);
    expect(unbalanced(withoutScripts(hostile))).toEqual([]);
  });

  it('can draw a scenario of which next to nothing is known', () => {
    const instant = { ...scenario, startedAt: 5, finishedAt: 5, recoveries: [], steps: [], checks: [] };
    const fault: HistoryEvent = {
      kind: 'fault',
      at: 5,
      scenario: scenario.id,
      fault: 'x',
      phase: 'injected',
      target: 'y',
    };
    const bare = renderHtml({ ...withScenarios(instant), history: [fault] });
    expect(withoutScripts(bare)).not.toMatch(/NaN|Infinity|undefined/);
    expect(renderHtml(withScenarios())).toContain('No scenario was run.');
  });

  it('stays small, however many operations a probe made', () => {
    const long = renderHtml(sampleRun({ operations: 9000, rate: 1200 }));
    expect(long.length).toBeLessThan(page.length + 9000 * 10);
  });

  it('sums many crashes up and shows the worst', () => {
    const [recovery] = scenario.recoveries;
    if (!recovery) throw new Error('the sample has no recovery');
    const many = Array.from({ length: 50 }, (_, i) => ({
      ...recovery,
      crash: recovery.crash + i * 1e9,
      readable: recovery.crash + i * 1e9 + (i + 1) * 1e6,
    }));
    const text = renderHtml(withScenarios({ ...scenario, recoveries: many }));
    expect(text).toContain('50 recoveries, stage by stage');
    expect(text).toContain('Crash 50, the worst');
    expect(text.match(/<figure class="waterfall">/g)).toHaveLength(1);
  });

  it('names what could not be cleaned up', () => {
    const text = renderHtml({ ...sample, record: { ...sample.record, leftovers: ['mount /run/rekindle-7f3a9c'] } });
    expect(text).toContain('1 thing could not be cleaned up');
    expect(text).toContain('<code>mount /run/rekindle-7f3a9c</code>');
  });
});

function hostileHistory(text: string): HistoryEvent[] {
  const base = { scenario: text, at: scenario.startedAt + 1e6 };
  const probe = {
    ...base,
    kind: 'probe',
    probe: text,
    op: 'read',
    startedAt: base.at,
    finishedAt: base.at + 1,
  } as const;
  return [
    { ...probe, result: 'ok' },
    { ...probe, result: text, call: text },
    { ...base, kind: 'output', program: text, stream: 'stderr', text },
    { ...base, kind: 'fault', fault: text, phase: 'injected', target: text, detail: text },
    { ...base, kind: 'process', role: 'daemon', name: text, change: 'exited', signal: text },
    { ...base, kind: 'agent', event: 'failed', volume: text, where: text, reason: text, line: { text } },
    { ...base, kind: 'event', type: text, reason: text, message: text, object: text, count: 2 },
    { ...base, kind: 'kubelet', event: 'publish', pod: text, detail: text },
    {
      ...base,
      kind: 'mount',
      where: text,
      change: 'added',
      id: 1,
      device: text,
      mountPoint: text,
      fstype: text,
      options: text,
    },
    { ...base, kind: 'snapshot', where: text, label: text, lines: [text] },
    { ...base, kind: 'note', text },
  ];
}
