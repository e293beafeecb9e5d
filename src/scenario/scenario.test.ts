import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { CheckNotPassed, Scenario } from './scenario.ts';
import type { ScenarioNotes, Session } from './session.ts';

const kubeConfig = new KubeConfig();
kubeConfig.loadFromClusterAndUser({ name: 'c', server: 'https://127.0.0.1:1', skipTLSVerify: false }, { name: 'u' });

interface Created {
  readonly onWait?: (waits: boolean) => void;
  readonly periodMs?: number;
}

/** A scenario that only waits: whatever else it used of its cluster would be undefined. */
function createScenario({ onWait = () => {}, periodMs = 0 }: Created = {}) {
  const notes: ScenarioNotes = { id: 'x', startedAt: 0, finishedAt: 0, checks: [] };
  const { signal } = new AbortController();
  const session = { cluster: { patienceMs: 1, kubeConfig }, signal, agent: {}, onWait, profile: { periodMs } };
  return { notes, scenario: new Scenario(session as unknown as Session, notes) };
}

describe('an outcome that a scenario waits for', () => {
  it('is a failed check if it does not come in time', async () => {
    const { notes, scenario } = createScenario();
    const outcome = { condition: 'the pod waits', read: () => 3, until: (n: number) => n > 3, format: String };
    const waited = scenario.judgeWait('no pod starts', () => scenario.eventually(outcome));
    await expect(waited).rejects.toThrow(CheckNotPassed);
    expect(notes.checks).toMatchObject([{ name: 'no pod starts', verdict: 'fail' }]);
    expect(notes.checks[0]?.says).toContain('the pod waits: not after');
  });

  it('is not judged if something else goes wrong', async () => {
    const { notes, scenario } = createScenario();
    await expect(scenario.judgeWait('no pod starts', () => Promise.reject(new Error('EPIPE')))).rejects.toThrow(
      'EPIPE',
    );
    expect(notes.checks).toEqual([]);
  });
});

it('waits as long as a profile allows what is awaited to take, if the cluster would wait less', async () => {
  const { scenario } = createScenario();
  const thirdRead = () => {
    let reads = 0;
    return { condition: 'it is read thrice', read: () => ++reads, until: (n: number) => n >= 3, format: String };
  };
  await expect(scenario.eventually(thirdRead())).rejects.toThrow('it is read thrice: not after 0.0 s');
  await expect(scenario.eventually({ ...thirdRead(), atLeastMs: 60_000 })).resolves.toBe(3);
});

it('a time in which a scenario only waits ends with the wait, however that ends', async () => {
  const waits: boolean[] = [];
  const { scenario } = createScenario({ onWait: (each) => waits.push(each) });
  await scenario.onlyWaiting(async () => void waits.push(waits.length === 1));
  await expect(scenario.onlyWaiting(() => Promise.reject(new Error('EPIPE')))).rejects.toThrow('EPIPE');
  expect(waits).toEqual([true, true, false, true, false]);
});

it('what must not happen is watched for twice the period of the profile, and 10 s at least', () => {
  const watched = [1_000, 5_000, 30_000].map((periodMs) => createScenario({ periodMs }).scenario.watchMs);
  expect(watched).toEqual([10_000, 10_000, 60_000]);
});
