import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../agent/metrics.ts';
import { alerts, dashboard } from './testing/queries.ts';

const source = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const runbook = source('../../../docs/reference/events.md');
const headings = [...runbook.matchAll(/^### (\S+)$/gm)].map(([, name]) => name);

const queries = [
  ...alerts().map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard().panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

it.each(queries)('%s asks for metrics that the agent has', async (_, expr) => {
  const text = await createMetrics({ unhealthy: () => [], unproven: () => [], pods: () => [] }).text();
  const served = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
  const asked = [...expr.matchAll(/\brekindle_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));
  expect(asked.filter((name) => !served.has(name))).toEqual([]);
});

describe('the runbook', () => {
  /** The reasons as the engine makes them, those that it composes in full. */
  const reasons = new Set([
    ...[...source('../../engine/record.ts').matchAll(/'(Fuse[A-Z]\w+)'/g)].map(([, name]) => name),
    ...['FuseDaemonDown', 'FuseDaemonHung', 'FuseStandbyDown', 'FuseStandbyHung'],
    ...['Evict', 'Restart'].flatMap((kind) =>
      ['ed', 'Refused', 'Postponed', 'Failed'].map((result) => `FuseFallback${kind}${result}`),
    ),
  ]);

  it('has a section for each reason of an event and for each alert, and no other', () => {
    expect(headings.toSorted()).toEqual([...reasons, ...alerts().map(({ alert }) => alert)].toSorted());
  });

  it('composes no reason that is not listed here', () => {
    const composed = [...source('../../engine/record.ts').matchAll(/`(Fuse\w*)\$\{/g)].map(([, prefix]) => prefix);
    expect(new Set(composed)).toEqual(new Set(['FuseDaemon', 'FuseStandby', 'FuseFallback']));
  });

  it.each(alerts())('is named by $alert', ({ alert, annotations }) => {
    expect(annotations.runbook).toBe(`docs/reference/events.md#${alert.toLowerCase()}`);
  });
});

describe('the dashboard', () => {
  const { panels, schemaVersion, templating } = dashboard();

  it('is of a schema that Grafana 10 and later read, with panels that neither overlap nor share an id', () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(36);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('uses variables that it has', () => {
    const known = new Set([...templating.list.map(({ name }) => name), '__rate_interval', '__all']);
    const used = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });
});
