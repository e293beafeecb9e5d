import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../record.ts';
import { ticksOf } from './axis.ts';
import { lanesOf } from './lanes.ts';

const axis = { from: 0, to: 1e9, zero: 0 };
const daemon = (at: number, change: 'started' | 'ready' | 'exited'): HistoryEvent => ({
  kind: 'process',
  at: at * 1e6,
  role: 'daemon',
  name: 'fuse',
  change,
});
const laneOf = (name: string, events: readonly HistoryEvent[]) =>
  lanesOf(events, axis).find((lane) => lane.name.startsWith(name));

describe('lanesOf', () => {
  it('shows a daemon that was there before, went, and came back', () => {
    const lane = laneOf('FUSE daemon', [daemon(200, 'exited'), daemon(400, 'started'), daemon(500, 'ready')]);
    expect(lane?.spans.map((span) => [span.from / 1e6, span.to / 1e6, span.weight, span.look])).toEqual([
      [0, 200, 'thin', 'ok'],
      [200, 400, 'dashed', 'bad'],
      [400, 500, 'thin', 'warn'],
      [500, 1000, 'thin', 'ok'],
    ]);
    expect(lane?.marks.map((mark) => mark.label)).toEqual(['exited', undefined, 'back after 300 ms']);
  });

  it('shows a back-off from its schedule to the restart', () => {
    const kubelet = (at: number, event: 'restart-scheduled' | 'restarted'): HistoryEvent => ({
      kind: 'kubelet',
      at: at * 1e6,
      event,
      pod: 'p',
    });
    const lane = laneOf('Kubelet', [kubelet(100, 'restart-scheduled'), kubelet(700, 'restarted')]);
    expect(lane?.spans).toMatchObject([{ from: 100e6, to: 700e6 }]);
    expect(laneOf('Kubelet', [kubelet(100, 'restart-scheduled')])?.spans).toMatchObject([{ to: 1e9 }]);
  });

  it('shows a hang while it lasts, once', () => {
    const hang = (at: number, over: boolean): HistoryEvent => ({
      kind: 'hang',
      at: at * 1e6,
      probe: 'ns/app/c:/data',
      op: 'list',
      since: 100e6,
      over,
    });
    expect(laneOf('Probe in app', [hang(300, false), hang(500, true)])?.spans).toMatchObject([
      { from: 100e6, to: 500e6, label: 'hang, 400 ms' },
    ]);
    expect(laneOf('Probe in app', [hang(300, false)])?.spans).toMatchObject([{ to: 1e9, label: 'hang, 200 ms' }]);
  });

  it('makes one mark of many at the same moment', () => {
    const mounts = Array.from(
      { length: 40 },
      (_, i): HistoryEvent => ({
        kind: 'mount',
        at: 500e6 + i,
        where: 'node',
        change: 'added',
        id: i,
        device: '0:1',
        mountPoint: '/m',
        fstype: 'fuse',
        options: 'ro',
      }),
    );
    const lane = laneOf('Mounts on the node', mounts);
    expect(lane?.marks).toHaveLength(1);
    expect(lane?.marks[0]?.title).toMatch(/ and 39 more$/);
  });

  it('puts what the pod saw first', () => {
    const event: HistoryEvent = {
      kind: 'event',
      at: 1,
      type: 'Normal',
      reason: 'r',
      message: 'm',
      object: 'o',
      count: 1,
    };
    const probe: HistoryEvent = {
      kind: 'probe',
      at: 1,
      probe: 'ns/app/c:/data',
      op: 'read',
      startedAt: 1,
      finishedAt: 2,
      result: 'ok',
    };
    const names = lanesOf([event, daemon(1, 'ready'), probe], axis).map((lane) => lane.name);
    expect(names).toEqual(['Probe in app', 'FUSE daemon', 'Kubernetes events']);
  });
});

describe('ticksOf', () => {
  it.each([
    [{ from: 0, to: 7.4e9, zero: 0 }, [0, 2e9, 4e9, 6e9]],
    [{ from: 90e6, to: 310e6, zero: 100e6 }, [100e6, 150e6, 200e6, 250e6, 300e6]],
  ])('are round times from zero: %j', (one, ticks) => expect(ticksOf(one)).toEqual(ticks));
});
