import { describe, expect, it } from 'vitest';
import type { KernelTier } from '../../../recovery/engine/model.ts';
import { seededRandom } from '../../../reports/bench/statistics.ts';
import { runSimulation } from '../run-simulation.ts';
import { drawNodeHistory, type NodeStep } from './node-history.ts';
import { runNodeHistory } from './simulated-run.ts';

const nothing = () => undefined;

/** In a process of its own, because the passes of an agent that dies reject. */
const simulate = (first: number, seeds: number, tier: KernelTier, history?: readonly NodeStep[]) =>
  runSimulation({
    ...{ against: 'invariants', first, seeds, steps: 60, tier, mostFailures: 1, jobs: 1 },
    ...(history === undefined ? {} : { history }),
    ...{ onProgress: nothing, onFailure: nothing, signal: new AbortController().signal },
  });

const replay = (history: readonly NodeStep[], tier: KernelTier) => simulate(0, 1, tier, history);

describe('a simulated node', () => {
  it.each(['6.5', '5.12', '5.10'] as const)(
    'keeps every promise, tier %s',
    async (tier) => {
      const result = await simulate(2000, 4, tier);
      expect(result.failures).toEqual([]);
      expect(result.steps).toBe(240);
    },
    240_000,
  );

  it('keeps the promise of a history that broke it: what a tenant has mounted in the volume, above a leftover', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'api-fails', fault: 'unavailable' },
      { after: 200, op: 'create-pod', volume: 0, propagation: 'slave', label: undefined, shape: 'two-volumes' },
      { after: 5, op: 'create-pod', volume: 1, propagation: 'slave', label: 'true', shape: 'link' },
      { after: 1000, op: 'create-pod', volume: 1, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 0, op: 'create-pod', volume: 2, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 1000, op: 'hang', volume: 1 },
      { after: 12_000, op: 'create-pod', volume: 1, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 1000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 3000 },
      { after: 30, op: 'agent-dies', calls: 50 },
      { after: 12_000, op: 'create-pod', volume: 1, propagation: 'private', label: 'yes', shape: 'plain' },
      { after: 200, op: 'delete-pod', pod: 6 },
      { after: 1000, op: 'mount-inside', pod: 1 },
      { after: 30, op: 'stack-as-earlier-agent', pod: 2 },
      { after: 1000, op: 'answer', volume: 2 },
      { after: 5, op: 'mount-inside', pod: 6 },
      { after: 5, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 20_000 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: a standby that answered ends while the pass waits', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', policy: 'documented', standby: true, abortsHung: true },
      { after: 1, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'moved-log' },
      { after: 0, op: 'api-fails', fault: 'silent' },
      { after: 4000, op: 'hang', volume: 0 },
      { after: 200, op: 'api-fails', fault: 'future' },
      { after: 4000, op: 'start-standby', volume: 0 },
      { after: 1000, op: 'crash', volume: 0, source: 'standby', stacks: false, starts: 300 },
      { after: 200, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 3000 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it.each<[string, readonly NodeStep[]]>([
    ['found late', []],
    ['found after the kubelet has published again', [{ after: 1, op: 'restart-kubelet' }]],
  ])(
    'keeps the promise of a history that broke it: an earlier agent has stacked, and containers are %s',
    async (_, more) => {
      const history: readonly NodeStep[] = [
        { after: 30, op: 'create-pod', volume: 0, propagation: 'private', label: 'true', shape: 'plain' },
        { after: 1, op: 'create-pod', volume: 0, propagation: 'slave', label: undefined, shape: 'two-volumes' },
        { after: 1, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 3000 },
        { after: 0, op: 'api-fails', fault: 'unavailable' },
        { after: 0, op: 'create-pod', volume: 2, propagation: 'private', label: undefined, shape: 'plain' },
        { after: 12_000, op: 'stack-as-earlier-agent', pod: 3 },
        { after: 12_000, op: 'abort', volume: 0 },
        ...more,
      ];
      expect((await replay(history, '6.5')).failures).toEqual([]);
    },
    240_000,
  );

  it('keeps the promise of a history that broke it: another container has the pid and the mount numbers of one that has ended', async () => {
    const history: readonly NodeStep[] = [
      { after: 30, op: 'mount-inside', pod: 7 },
      { after: 0, op: 'start-standby', volume: 1 },
      { after: 0, op: 'api-fails', fault: 'conflicting' },
      { after: 5, op: 'api-answers' },
      { after: 1, op: 'hang', volume: 0 },
      { after: 5, op: 'crash', volume: 1, source: 'standby', stacks: true, starts: 3000 },
      { after: 5, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 4000, op: 'abort', volume: 0 },
      { after: 0, op: 'agent-dies', calls: 39 },
      { after: 4000, op: 'api-fails', fault: 'future' },
      { after: 30, op: 'stop', volume: 2 },
      { after: 5, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 300 },
      { after: 12_000, op: 'stack-as-earlier-agent', pod: 7 },
      { after: 0, op: 'mount-inside', pod: 5 },
      { after: 0, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 4000, op: 'wait' },
      { after: 0, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 300 },
      { after: 12_000, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 300 },
      { after: 1000, op: 'restart-container', pod: 7 },
      { after: 200, op: 'republish', pod: 4 },
      { after: 4000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 20_000 },
      { after: 0, op: 'crash', volume: 1, source: 'standby', stacks: true, starts: 300 },
      { after: 1000, op: 'delete-pod', pod: 4 },
      { after: 30, op: 'start-standby', volume: 1 },
      { after: 0, op: 'restart-container', pod: 3 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: a daemon that hung answers while the standby starts', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', standby: true, abortsHung: true, policy: 'documented' },
      { after: 12_000, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'empty-dir' },
      { after: 1, op: 'start-standby', volume: 0 },
      { after: 12_000, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 3000 },
      { after: 1000, op: 'crash', volume: 0, source: 'standby', stacks: false, starts: 20_000 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: the number of a mount that was dropped is that of the root above', async () => {
    const history: readonly NodeStep[] = [
      { after: 5, op: 'agent-dies', calls: 58 },
      { after: 12_000, op: 'create-pod', volume: 0, propagation: 'private', label: 'true', shape: 'plain' },
      { after: 1, op: 'create-pod', volume: 2, propagation: 'slave', label: 'yes', shape: 'twice' },
      { after: 5, op: 'create-pod', volume: 2, propagation: 'slave', label: 'yes', shape: 'plain' },
      { after: 0, op: 'delete-pod', pod: 4 },
      { after: 0, op: 'mount-inside', pod: 6 },
      { after: 12_000, op: 'wait' },
      { after: 5, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 300 },
      { after: 0, op: 'restart-container', pod: 6 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: a leftover of a dead agent whose daemon has died, too', async () => {
    const history: readonly NodeStep[] = [
      { after: 1, op: 'create-pod', volume: 1, propagation: 'slave', label: 'true', shape: 'another-log' },
      { after: 0, op: 'api-fails', fault: 'silent' },
      { after: 0, op: 'crash', volume: 1, source: 'active', stacks: true, starts: 300 },
      { after: 4000, op: 'restart-container', pod: 4 },
      { after: 0, op: 'stack-as-earlier-agent', pod: 2 },
      { after: 12_000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 300 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: the numbers of a connection that hung are given to its successor', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', standby: true, abortsHung: true, policy: 'documented' },
      { after: 30, op: 'mount-foreign', volume: 2, kind: 'tmpfs' },
      { after: 12_000, op: 'crash', volume: 2, source: 'active', stacks: false, starts: 20_000 },
      { after: 4000, op: 'wait' },
      { after: 0, op: 'crash', volume: 2, source: 'active', stacks: false, starts: 20_000 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: the successor gets the numbers of device and mount', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', policy: 'documented', standby: true, abortsHung: true },
      { after: 12_000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 50 },
      { after: 0, op: 'create-pod', volume: 1, propagation: 'slave', label: 'true', shape: 'link' },
      { after: 1000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 3000 },
      { after: 0, op: 'start-standby', volume: 1 },
      { after: 12_000, op: 'mount-foreign', volume: 1, kind: 'recorded' },
      { after: 0, op: 'hang', volume: 1 },
      { after: 0, op: 'crash', volume: 1, source: 'standby', stacks: true, starts: 20_000 },
      { after: 1000, op: 'crash', volume: 2, source: 'active', stacks: false, starts: 300 },
      { after: 4000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 20_000 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: one volume of the cluster could not be read, and was writable', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', policy: 'cluster-scope', standby: false, abortsHung: false },
      { after: 30, op: 'api-fails', fault: 'unavailable' },
      { after: 0, op: 'create-pod', volume: 0, propagation: 'slave', label: 'yes', shape: 'two-volumes' },
      { after: 1, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 300 },
      { after: 4000, op: 'wait' },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: a container was unknown for a moment, and was read as root', async () => {
    const history: readonly NodeStep[] = [
      { after: 4000, op: 'crash', volume: 2, source: 'active', stacks: false, starts: 50 },
      { after: 0, op: 'create-pod', volume: 1, propagation: 'slave', label: 'yes', shape: 'moved-log' },
      { after: 12_000, op: 'crash', volume: 1, source: 'standby', stacks: false, starts: 20_000 },
      { after: 30, op: 'crash', volume: 2, source: 'active', stacks: true, starts: 3000 },
      { after: 4000, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'sub-path-log' },
      { after: 12_000, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 300 },
      { after: 12_000, op: 'api-answers' },
      { after: 4000, op: 'crash', volume: 2, source: 'active', stacks: true, starts: 50 },
      { after: 0, op: 'cover', pod: 5 },
      { after: 1000, op: 'api-fails', fault: 'silent' },
      { after: 0, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 1000, op: 'crash', volume: 0, source: 'active', stacks: true, starts: 300 },
      { after: 1, op: 'create-pod', volume: 2, propagation: 'private', label: 'true', shape: 'plain' },
      { after: 0, op: 'restart-container', pod: 6 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: a connection answers at the moment at which it is aborted', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', policy: 'documented', standby: true, abortsHung: true },
      { after: 200, op: 'start-standby', volume: 0 },
      { after: 4000, op: 'agent-dies', calls: 56 },
      { after: 0, op: 'create-pod', volume: 0, propagation: 'slave', label: 'true', shape: 'plain' },
      { after: 12_000, op: 'mount-inside', pod: 3 },
      { after: 0, op: 'crash', volume: 0, source: 'standby', stacks: false, starts: 50 },
      { after: 0, op: 'abort', volume: 0 },
      { after: 4000, op: 'create-pod', volume: 1, propagation: 'private', label: 'true', shape: 'plain' },
      { after: 12_000, op: 'abort', volume: 0 },
      { after: 12_000, op: 'crash', volume: 0, source: 'standby', stacks: true, starts: 20_000 },
      { after: 0, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 20_000 },
      { after: 0, op: 'delete-pod', pod: 0 },
      { after: 0, op: 'crash', volume: 2, source: 'active', stacks: false, starts: 300 },
      { after: 1, op: 'delete-pod', pod: 6 },
      { after: 5, op: 'stop', volume: 1 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: another pod was given the pid of a container that had ended', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', policy: 'documented', standby: true, abortsHung: true },
      { after: 5, op: 'hang', volume: 1 },
      { after: 0, op: 'start-standby', volume: 1 },
      { after: 12_000, op: 'create-pod', volume: 1, propagation: 'private', label: 'true', shape: 'twice' },
      { after: 12_000, op: 'restart-container', pod: 7 },
      { after: 5, op: 'answer', volume: 1 },
      { after: 4000, op: 'crash', volume: 1, source: 'standby', stacks: false, starts: 300 },
      { after: 1, op: 'delete-pod', pod: 3 },
      { after: 0, op: 'create-pod', volume: 1, propagation: 'private', label: 'true', shape: 'plain' },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('keeps the promise of a history that broke it: a daemon that took long to start hung soon afterwards', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', policy: 'cluster-scope', standby: true, abortsHung: true },
      { after: 1000, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 3000 },
      { after: 4000, op: 'hang', volume: 0 },
      { after: 12_000, op: 'cover', pod: 2 },
      { after: 12_000, op: 'crash', volume: 0, source: 'active', stacks: false, starts: 300 },
    ];
    expect((await replay(history, '6.5')).failures).toEqual([]);
  }, 240_000);

  it('replays a history step by step', async () => {
    const history = drawNodeHistory(seededRandom(7), 60).filter(({ op }) => op !== 'agent-dies');
    const [first, second] = [await runNodeHistory(history, '6.5'), await runNodeHistory(history, '6.5')];
    expect(first.violation).toBeUndefined();
    expect(first.story.length).toBeGreaterThan(60);
    expect(second.story).toEqual(first.story);
  });

  it('publishes a pod, and recovers it in virtual time after a crash', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'create-pod', volume: 1, propagation: 'private', label: 'true', shape: 'plain' },
      { after: 1000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 300 },
      { after: 4000, op: 'wait' },
    ];
    const { story, violation } = await runNodeHistory(history, '6.5');
    expect(violation).toBeUndefined();
    expect(story.map((line) => line.replace(/^[\d.]+ ms {2}/, ''))).toEqual(
      expect.arrayContaining(['  agent: recovered pod-4 /data', expect.stringMatching(/recovered pod-4 .*\/mount/)]),
    );
  });

  it('fails over to a standby at once, whatever the back-off of the daemon', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'flags', standby: true, abortsHung: false, policy: 'documented' },
      { after: 0, op: 'start-standby', volume: 1 },
      { after: 1000, op: 'create-pod', volume: 1, propagation: 'private', label: 'true', shape: 'plain' },
      { after: 4000, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 20_000 },
      { after: 30, op: 'wait' },
    ];
    const { story, violation } = await runNodeHistory(history, '6.5');
    expect(violation).toBeUndefined();
    const soonAfter = story.findIndex((line) => line.includes('"wait"'));
    expect(story.slice(0, soonAfter)).toContainEqual(expect.stringContaining('replaced pod-5 /data'));
  });

  it('keeps what the agent knows while the API server is silent, and recovers a pod that it knows', async () => {
    const history: readonly NodeStep[] = [
      { after: 0, op: 'create-pod', volume: 1, propagation: 'private', label: 'true', shape: 'plain' },
      { after: 4000, op: 'api-fails', fault: 'silent' },
      { after: 200, op: 'crash', volume: 1, source: 'active', stacks: false, starts: 300 },
      { after: 1000, op: 'wait' },
    ];
    const { story } = await runNodeHistory(history, '6.5');
    const rest = story.findIndex((line) => line.endsWith('  rest'));
    expect(story.slice(0, rest)).toContainEqual(expect.stringContaining('recovered pod-4 /data'));
  });
});
