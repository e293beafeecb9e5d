import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestOf } from '../../src/timeline/digest.ts';
import type { HistoryEvent, ProbeOperation, ScenarioRecord } from '../../src/timeline/record.ts';
import { sampleRun } from '../../src/timeline/testing/sample-run.ts';
import { unpack } from '../page/unpack.ts';
import { pack } from './pack.ts';
import { scenarioData } from './scenario-data.ts';

const [scenario] = sampleRun({ operations: 10 }).record.scenarios as readonly [ScenarioRecord];

function there(events: readonly HistoryEvent[]) {
  const digest = digestOf(events).of(scenario.id);
  const data = scenarioData(scenario, digest);
  return { data, back: unpack(inflateRawSync(Buffer.from(pack(data, digest.probes, scenario.startedAt), 'base64'))) };
}

const operation = fc.record({
  due: fc.nat(86_400_000_000),
  took: fc.nat(4_000_000_000),
  op: fc.constantFrom<ProbeOperation>('list', 'stat', 'read'),
  result: fc.constantFrom('ok', 'ENOTCONN', 'EIO'),
});

it('gives each operation back: its time to the microsecond, its latency to a tenth', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 60 }), (made) => {
      const events = made.map(({ due, took, op, result }): HistoryEvent => {
        const at = scenario.startedAt + due * 1e3;
        return {
          kind: 'probe',
          scenario: scenario.id,
          at,
          probe: 'n/p/c:/data',
          op,
          startedAt: at,
          finishedAt: at + took * 1e3,
          result,
        };
      });
      const [probe] = there(events).back.probes;
      const sorted = made.toSorted((a, b) => a.due - b.due);
      expect(probe && [...probe.at]).toEqual(sorted.map(({ due }) => due));
      expect(probe && [...probe.result].map((i) => probe.results[i]?.name)).toEqual(sorted.map(({ result }) => result));
      expect(probe && [...probe.operation].map((i) => ['list', 'stat', 'read'][i])).toEqual(sorted.map(({ op }) => op));
      sorted.forEach(({ took }, i) => {
        const error = Math.abs((probe?.took[i] ?? 0) - took);
        expect(error).toBeLessThanOrEqual(1 + took * 0.1);
      });
    }),
  );
});

it('carries everything else as it is', () => {
  const { data, back } = there(sampleRun({ operations: 300 }).history);
  expect(data.lanes.length).toBeGreaterThan(4);
  expect(back.scenario).toEqual(data);
});
