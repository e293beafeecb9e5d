import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daemonLife, type Upgrade, upgradesFor } from './daemon-life.ts';
import { Draws } from './draws.ts';
import { yearMs } from './fleet-file.ts';
import { sampleFleet } from './testing/sample-fleet.ts';

const second = 1000;

function livesOf(lines: readonly string[], { seed = 1, node = 0 } = {}) {
  const fleet = sampleFleet(lines);
  const upgrades = upgradesFor(node, fleet);
  return daemonLife({ fleet, upgrades, draws: new Draws(seed, node), start: () => 2 * second });
}

/** How long the daemon was away before each period but the first, in seconds. */
const gaps = (lines: readonly string[]) =>
  livesOf(lines)
    .slice(1)
    .map(({ from }, index) => Math.round((from - (livesOf(lines)[index]?.to ?? 0)) / second));

describe('the life of a daemon', () => {
  it('in a crash loop, waits 0, 10, 20, 40 ... 300 s and the start each time', () => {
    const loop = ['causes: { crashLoop: { perDaemonYear: 1, crashes: 9, runsFor: 5s } }'];
    expect(gaps(loop).slice(0, 9)).toEqual([2, 12, 22, 42, 82, 162, 302, 302, 302]);
  });

  it('begins the back-off anew after ten minutes without a crash', () => {
    const loop = ['causes: { crashLoop: { perDaemonYear: 1, crashes: 4, runsFor: 11m } }'];
    expect(gaps(loop).slice(0, 4)).toEqual([2, 2, 2, 2]);
  });

  it('follows a kubelet that is late, and one with other limits', () => {
    const loop = 'causes: { crashLoop: { perDaemonYear: 1, crashes: 6, runsFor: 0s } }';
    expect(gaps([loop, 'kubelet: { initial: 1s, maximum: 4s, relist: 0s, resync: 0s }']).slice(0, 6)).toEqual([
      2, 3, 4, 6, 6, 6,
    ]);
    const [first = 0, then = 0] = gaps([loop, 'kubelet: { relist: 9s, resync: 15s }']);
    expect(first).toBeGreaterThan(2);
    expect(first).toBeLessThanOrEqual(11);
    expect(then).toBeGreaterThan(12);
  });

  it('ends its connection when a hung daemon is ended, and is restarted from then on', () => {
    const [hung, next] = livesOf(['causes: { hang: { perDaemonYear: 1, endsAfter: 1m } }']);
    expect(hung).toMatchObject({ end: 'hang', exit: (hung?.to ?? 0) + 60 * second });
    expect(next?.from).toBe((hung?.exit ?? 0) + 2 * second);
  });

  it('is upgraded node by node, without a back-off, and before its next crash', () => {
    const upgrade = 'daemonUpgrade: { perYear: 2, nodesAtOnce: 10, takes: 1h, podStart: { median: 3s, p99: 3s } }';
    const lines = [`causes: { ${upgrade} }`];
    const [first, again] = upgradesFor(25, sampleFleet(lines));
    expect(first).toEqual({ at: yearMs / 4 + 2 * 3600 * second, cause: 'daemonUpgrade' });
    expect(again?.at).toBe((first?.at ?? 0) + yearMs / 2);
    expect(gaps(lines)).toEqual([5, 5]);
  });

  it('begins without a back-off in a new pod, however often the old one crashed', () => {
    const often = ['crash', 'oom'].map((cause) => `${cause}: { perDaemonYear: 10000 }`).join(', ');
    const upgrade = 'daemonUpgrade: { perYear: 365, nodesAtOnce: 50, takes: 1m, podStart: { median: 3s, p99: 3s } }';
    const periods = livesOf([`causes: { ${often}, ${upgrade} }`]);
    const afterUpgrade = periods.flatMap(({ to, end }, index) => {
      const isFirst = periods[index - 1]?.end === 'daemonUpgrade' && end !== 'daemonUpgrade';
      const next = periods[index + 1];
      return isFirst && next && next.from < next.to ? [Math.round(next.from - to)] : [];
    });
    expect(afterUpgrade.length).toBeGreaterThan(300);
    expect(new Set(afterUpgrade)).toEqual(new Set([2 * second]));
  });

  it('is upgraded while it is not ready as well, and starts again from then on', () => {
    const fleet = sampleFleet([
      'causes: { crash: { perDaemonYear: 1 }, nodeUpgrade: { perYear: 0, nodesAtOnce: 1, takes: 10m } }',
    ]);
    const life = (upgrades: readonly Upgrade[]) =>
      daemonLife({ fleet, upgrades, draws: new Draws(1), start: () => 60 * second });
    const crash = life([])[0]?.to ?? 0;
    const at = crash + 30 * second;
    expect(life([{ at, cause: 'nodeUpgrade' }]).slice(0, 3)).toMatchObject([
      { from: 0, to: crash, end: 'crash' },
      { from: at, to: at, end: 'nodeUpgrade' },
      { from: at + 660 * second },
    ]);
  });

  it('is a sequence of periods in order within the forecast, whatever the causes', () => {
    const rate = fc.integer({ min: 0, max: 500 });
    fc.assert(
      fc.property(rate, rate, rate, fc.nat(), (crash, hang, loop, seed) => {
        const causes = [
          `crash: { perDaemonYear: ${crash} }`,
          `hang: { perDaemonYear: ${hang}, endsAfter: 5m }`,
          `crashLoop: { perDaemonYear: ${loop}, crashes: 5, runsFor: 1s }`,
          'nodeUpgrade: { perYear: 50, nodesAtOnce: 100, takes: 10m }',
        ];
        const periods = livesOf([`causes: { ${causes.join(', ')} }`, 'days: 100'], { seed });
        const disorder = periods.filter(({ from, to, exit }, index) => {
          return from < (periods[index - 1]?.to ?? 0) || to < from || exit < to;
        });
        expect(disorder).toEqual([]);
        expect(periods.find(({ end }) => end === undefined)?.to ?? (100 * yearMs) / 365).toBe((100 * yearMs) / 365);
        expect(periods.filter(({ end }) => end === undefined).length).toBeLessThanOrEqual(1);
        // Each upgrade reaches the node, also while its daemon is not ready.
        expect(periods.filter(({ end }) => end === 'nodeUpgrade')).toHaveLength(
          upgradesFor(0, sampleFleet([`causes: { ${causes.join(', ')} }`, 'days: 100'])).length,
        );
      }),
      { numRuns: 40 },
    );
  });
});
