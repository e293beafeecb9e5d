import type { V1PodStatus } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { PodStates } from './pod-states.ts';

const image = 'nginx';
const spec = { initContainers: [{ name: 'prepare', image }], containers: [{ name: 'demo', image }] };

function states(pod: object = { spec }, restarts = new Map<string, number>()) {
  const told: V1PodStatus[] = [];
  const updateStatus = async (_: unknown, status: V1PodStatus) => void told.push(status);
  return { told, states: new PodStates({ pod, restarts, updateStatus }) };
}
const running = { kind: 'running', startedAt: new Date(0) } as const;
const ended = (exitCode: number) => ({ kind: 'terminated', exitCode, finishedAt: new Date(1) }) as const;

describe('the states of a pod', () => {
  it('include init containers, and the pod is pending until they have finished', async () => {
    const { told, states: all } = states();
    all.report();
    all.set('prepare', { id: 'a', state: running });
    all.set('prepare', { state: ended(0) });
    all.set('demo', { id: 'b', state: running });
    await all.reported();
    const seen = told.map(({ phase, initContainerStatuses, containerStatuses }) => ({
      phase,
      init: initContainerStatuses?.map(({ ready, state }) => [ready, Object.keys(state ?? {})[0]]),
      demo: containerStatuses?.map(({ ready, state }) => [ready, state?.waiting?.reason ?? 'running']),
    }));
    expect(seen).toEqual([
      { phase: 'Pending', init: [[false, 'waiting']], demo: [[false, 'PodInitializing']] },
      { phase: 'Pending', init: [[false, 'running']], demo: [[false, 'PodInitializing']] },
      { phase: 'Pending', init: [[true, 'terminated']], demo: [[false, 'PodInitializing']] },
      { phase: 'Running', init: [[true, 'terminated']], demo: [[true, 'running']] },
    ]);
  });

  it('include native sidecars, which must be ready with the containers, and end after them', async () => {
    const sidecar = { name: 'serve', image, restartPolicy: 'Always' };
    const { told, states: all } = states({ spec: { ...spec, initContainers: [sidecar], restartPolicy: 'Never' } });
    all.set('serve', { id: 'a', state: running });
    all.set('demo', { id: 'b', state: running });
    all.set('demo', { state: ended(0) });
    all.set('serve', { state: ended(143) });
    await all.reported();
    const seen = told.map(({ phase, initContainerStatuses, conditions }) => [
      phase,
      initContainerStatuses?.map(({ ready }) => ready),
      conditions?.find(({ type }) => type === 'Ready')?.status,
    ]);
    expect(seen).toEqual([
      ['Pending', [true], 'False'],
      ['Running', [true], 'True'],
      ['Running', [true], 'False'],
      ['Succeeded', [false], 'False'],
    ]);
  });

  it('are reported in order, even if a report fails', async () => {
    const told: string[] = [];
    const updateStatus = async (_: unknown, { phase = '' }: V1PodStatus) => {
      told.push(phase);
      if (told.length === 1) throw new Error('the API server is away');
    };
    const all = new PodStates({ pod: { spec: { containers: spec.containers } }, restarts: new Map(), updateStatus });
    all.report();
    all.set('demo', { state: running });
    await all.reported();
    expect(told).toEqual(['Pending', 'Running']);
  });

  it('count another restart for a started container after a power loss', () => {
    const { states: all } = states(
      { spec: { containers: [...spec.containers, { name: 'late', image }] } },
      new Map([['demo', 2]]),
    );
    all.set('demo', { id: 'a', state: running });
    expect(all.afterPowerOff()).toEqual(
      new Map([
        ['demo', 3],
        ['late', 0],
      ]),
    );
  });
});
