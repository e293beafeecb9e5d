import { describe, expect, it } from 'vitest';
import type { Recovery } from '../../src/timeline/record.ts';
import { isOvertaken, recoveriesTitle, renderStages, renderWaterfall } from './waterfall.ts';

const crash = (at: number, more: Partial<Recovery> = {}): Recovery => ({
  fault: 'sigkill',
  volume: 'v',
  pod: 'ns/app',
  probe: 'ns/app/demo:/data',
  crash: at,
  firstError: at + 1e6,
  errors: { ENOTCONN: 3 },
  longestStallNs: 1e6,
  probeRate: 200,
  ...more,
});

describe('a crash after which the pod did not read', () => {
  const [first, other, last] = [crash(0), crash(5e8, { probe: 'ns/else/demo:/data' }), crash(1e9)];

  it('was overtaken where the next crash of the same pod came first', () => {
    expect([first, other, last].map((one) => isOvertaken(one, [first, other, last]))).toEqual([true, false, false]);
    expect(isOvertaken(crash(0, { readable: 2e6 }), [first, last])).toBe(false);
  });

  it('is called so, and otherwise what it is', () => {
    expect(renderWaterfall(first, 'Crash 1', [first, last]).markup).toContain('overtaken by the next crash');
    expect(renderWaterfall(first, 'Crash 1', [first, last]).markup).not.toContain('never');
    expect(renderWaterfall(last, 'Crash 2', [first, last]).markup).toContain('not readable again');
  });
});

it('calls crashes recoveries only if a pod read again', () => {
  const broken = [crash(0), crash(1e9)];
  const read = [crash(0), crash(1e9, { readable: 2e9 })];
  expect([broken, read].map(recoveriesTitle)).toEqual(['After the crash', 'From the crash to the first good read']);
  expect(renderStages(broken).markup).toContain('2 crashes, stage by stage');
  expect(renderStages(read).markup).toContain('2 recoveries, stage by stage');
});
