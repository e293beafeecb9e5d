import { expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/testing/sample-run.ts';
import { renderGantt, renderPicture, slowestRecovery } from './picture.ts';
import { readXml } from './testing/read-xml.ts';

const { record } = sampleRun();
const slowest = slowestRecovery(record.scenarios);
if (slowest === undefined) throw new Error('the sample has no recovery');

it('shows the slowest recovery, and nothing if no recovery was expected', () => {
  expect(slowest.scenario.id).toBe('daemon-stays-away');
  expect(slowestRecovery(record.scenarios.filter(({ id }) => id === 'gate-off'))).toBeUndefined();
});

it('is a well-formed SVG with each phase in it', () => {
  const svg = readXml(renderPicture(slowest).replace(/<style>.*?<\/style>/s, ''));
  expect(svg.name).toBe('svg');
  expect(renderPicture(slowest)).not.toMatch(/NaN|undefined|https?:\/\/(?!www\.w3\.org)/);
  const texts = svg.children.filter(({ name }) => name === 'text').map(({ text }) => text);
  expect(texts).toEqual(expect.arrayContaining(['daemon back', 'mounted in the pod', 'readable in the pod']));
});

it('says so if the pod never read again', () => {
  const { readable: _, ...lost } = slowest.recovery;
  expect(renderPicture({ ...slowest, recovery: lost })).toContain('not readable again');
});

it('is a Gantt chart whose bars are in whole milliseconds, none of no width', () => {
  const bars = [...renderGantt(slowest).matchAll(/:(?:\w+, )?(\d+), (\d+)$/gm)].map(([, from, to]) => [
    Number(from),
    Number(to),
  ]);
  expect(bars.length).toBeGreaterThan(4);
  for (const [from = 0, to = 0] of bars) expect(to).toBeGreaterThan(from);
});
