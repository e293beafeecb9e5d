import { describe, expect, it } from 'vitest';
import type { KeptEvent } from '../../src/timeline/digest.ts';
import { buildLanes } from './lanes.ts';

const axis = { from: 0, to: 1e9, zero: 0 };
const daemon = (at: number, change: 'started' | 'ready' | 'exited'): KeptEvent => ({
  kind: 'process',
  at: at * 1e6,
  role: 'daemon',
  name: 'fuse',
  change,
});
const laneOf = (name: string, events: readonly KeptEvent[]) =>
  buildLanes({ events }, axis).find((lane) => lane.name.startsWith(name));

describe('lanesOf', () => {
  it('shows a daemon that was there before, went, and came back', () => {
    const lane = laneOf('FUSE daemon', [daemon(200, 'exited'), daemon(400, 'started'), daemon(500, 'ready')]);
    expect(lane?.spans.map((span) => [span.from / 1e3, span.to / 1e3, span.weight, span.look])).toEqual([
      [0, 200, 'thin', 'ok'],
      [200, 400, 'dashed', 'bad'],
      [400, 500, 'thin', 'warn'],
      [500, 1000, 'thin', 'ok'],
    ]);
    expect(lane?.marks.map((mark) => mark.label)).toEqual(['exited', undefined, 'back after 300 ms']);
  });

  it('shows a back-off from its schedule to the restart', () => {
    const kubelet = (at: number, event: 'restart-scheduled' | 'restarted'): KeptEvent => ({
      kind: 'kubelet',
      at: at * 1e6,
      event,
      pod: 'p',
    });
    const lane = laneOf('Kubelet', [kubelet(100, 'restart-scheduled'), kubelet(700, 'restarted')]);
    expect(lane?.spans).toMatchObject([{ from: 100e3, to: 700e3 }]);
    expect(laneOf('Kubelet', [kubelet(100, 'restart-scheduled')])?.spans).toMatchObject([{ to: 1e6 }]);
  });

  it('shows a pass of the agent that did something, and none that found all well', () => {
    const pass = (at: number, actions: number): KeptEvent => ({
      kind: 'agent',
      at: at * 1e6,
      event: 'passed',
      tookNs: 20e6,
      line: { trigger: 'resync', actions, skips: 0, unhealthy: 0 },
    });
    expect(laneOf('Agent', [pass(100, 0), pass(300, 2)])?.spans).toMatchObject([{ from: 280e3, to: 300e3 }]);
  });

  it('shows mounts that are stacked below each other, and one that takes the place of another in its line', () => {
    const mount = (at: number, change: 'added' | 'removed', id: number): KeptEvent => ({
      kind: 'mount',
      at: at * 1e6,
      where: 'ns/app/c',
      change,
      id,
      device: `0:${id}`,
      mountPoint: '/data',
      fstype: 'fuse.jindofs-fuse',
      options: 'ro',
    });
    const rows = (...events: readonly KeptEvent[]) =>
      laneOf('/data in app', events)
        ?.spans.map(({ label, row, from, to }) => [label, row, from, to])
        .sort();
    expect(rows(mount(100, 'added', 1), mount(500, 'added', 2))).toEqual([
      ['0:1', 0, 100e3, 1e6],
      ['0:2', 1, 500e3, 1e6],
    ]);
    expect(rows(mount(100, 'added', 1), mount(500, 'added', 2), mount(501, 'removed', 1))).toEqual([
      ['0:1', 0, 100e3, 501e3],
      ['0:2', 0, 500e3, 1e6],
    ]);
  });
});
