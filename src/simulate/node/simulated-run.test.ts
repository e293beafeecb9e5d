import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../reports/bench/statistics.ts';
import { runSimulation } from '../run-simulation.ts';
import { drawNodeHistory, type NodeStep } from './node-history.ts';
import { runNodeHistory } from './simulated-run.ts';

const nothing = () => undefined;

/** In a process of its own, because the passes of an agent that dies reject. */
const simulate = (first: number, tier: '6.5' | '5.12' | '5.10') =>
  runSimulation({
    ...{ against: 'invariants', first, seeds: 4, steps: 60, tier, mostFailures: 1, jobs: 1 },
    ...{ onProgress: nothing, onFailure: nothing, signal: new AbortController().signal },
  });

describe('a simulated node', () => {
  it.each(['6.5', '5.12', '5.10'] as const)(
    'keeps every promise, tier %s',
    async (tier) => {
      const result = await simulate(2000, tier);
      expect(result.failures).toEqual([]);
      expect(result.steps).toBe(240);
    },
    240_000,
  );

  it.each([
    ['an agent dies between attaching and detaching, and so does the new daemon', 87],
    ['the kernel gives the number of a dead daemon’s device to a mount of a tenant', 3_208_423_526],
  ])(
    'keeps the promise of a seed that once broke it: %s',
    async (_, seed) => {
      expect((await simulate(seed, '6.5')).failures).toEqual([]);
    },
    240_000,
  );

  it('replays a history step by step', async () => {
    const history = drawNodeHistory(seededRandom(7), 60).filter(({ op }) => op !== 'agent-dies');
    const [first, second] = [await runNodeHistory(history, '6.5'), await runNodeHistory(history, '6.5')];
    expect(first.violation).toBeUndefined();
    expect(first.story.length).toBeGreaterThan(60);
    expect(second.story).toEqual(first.story);
  });

  it('publishes a pod, and recovers it in virtual time after a crash', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'create-pod', volume: 1, propagation: 'private', labelled: true },
      { after: 1000, op: 'crash', volume: 1, stacks: false },
      { after: 4000, op: 'wait' },
    ];
    const { story, violation } = await runNodeHistory(history, '6.5');
    expect(violation).toBeUndefined();
    expect(story.map((line) => line.replace(/^[\d.]+ ms {2}/, ''))).toEqual(
      expect.arrayContaining([
        '  agent: recovered pod-1000 /data',
        expect.stringMatching(/recovered pod-1000 .*\/mount/),
      ]),
    );
  });
});
