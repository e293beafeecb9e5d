import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { crashSamples, type WatchedPod } from './samples.ts';

const ms = 1e6;
const scenario = 'bench-1';
const where = 'ns/app/demo';
const pod: WatchedPod = {
  probe: `${where}:/data`,
  uid: 'uid-1',
  volume: 'ns-data',
  daemon: 'ns/data-',
  from: 0,
};
const target = '/var/lib/kubelet/pods/uid-1/volumes/kubernetes.io~csi/ns-data/mount';
type Loose = { readonly kind: HistoryEvent['kind']; readonly at: number; readonly [key: string]: unknown };
const event = ({ at, ...rest }: Loose) => ({ ...rest, at: at * ms, scenario }) as unknown as HistoryEvent;
const mount = (at: number, place: string, mountPoint: string) =>
  event({
    kind: 'mount',
    at,
    where: place,
    change: 'added',
    id: 1,
    device: '0:9',
    mountPoint,
    fstype: 'fuse',
    options: '',
  });
const agent = (at: number, name: string, place?: string) =>
  event({ kind: 'agent', at, event: name, volume: 'ns-data', ...(place && { where: place }), line: {} });
const fault = (at: number) => event({ kind: 'fault', at, fault: 'sigkill', phase: 'injected', target: 'ns/data-fuse' });
const daemon = (at: number, change: string) =>
  event({ kind: 'process', at, role: 'daemon', name: 'ns/data-fuse/fuse', change });

/** Reads each millisecond, each of which takes half of one. */
function reads(from: number, to: number, result = 'ok'): HistoryEvent[] {
  return Array.from({ length: to - from }, (_, index) => {
    const at = from + index;
    const times = { startedAt: at * ms, finishedAt: (at + 0.5) * ms };
    return event({ kind: 'probe', at, probe: pod.probe, op: 'read', ...times, result });
  });
}

const crash = [
  ...reads(0, 100),
  fault(100),
  daemon(101, 'exited'),
  agent(102, 'noticed'),
  ...reads(100, 210, 'ENOTCONN'),
  daemon(200, 'ready'),
];
const sourceMount = mount(199, 'node', '/runtime-mnt/jindo/ns/data/jindofs-fuse');

describe('a crash, as a benchmark has it', () => {
  it('that is taken over ends with the first read that the new daemon answers, and stalls until then', () => {
    const stalled = { probe: pod.probe, op: 'read', result: 'ok' };
    const events = [
      ...reads(0, 100),
      fault(100),
      // Answered before the daemon is gone.
      ...reads(100, 102),
      daemon(102, 'exited'),
      event({ kind: 'probe', at: 102, startedAt: 102 * ms, finishedAt: 190 * ms, ...stalled }),
      daemon(185, 'ready'),
      ...reads(190, 300),
      // Stalls of the machine, long after.
      event({ kind: 'probe', at: 300, startedAt: 300 * ms, finishedAt: 900 * ms, ...stalled }),
    ];
    expect(crashSamples(events, scenario, [pod])).toMatchObject([
      { errors: {}, longestStallNs: 88 * ms, moments: { daemonReady: 85 * ms, readable: 90 * ms, steady: 99.5 * ms } },
    ]);
  });

  it('ends the connection with the first error or with the daemon, whichever is seen first', () => {
    const at = (end: number) => {
      const events = [
        ...reads(0, 100),
        fault(100),
        daemon(end, 'exited'),
        ...reads(100, 105),
        ...reads(105, 110, 'ENOTCONN'),
      ];
      const [sample] = crashSamples([...events, mount(109, where, '/data'), ...reads(110, 150)], scenario, [pod]);
      return sample?.moments.connectionEnded;
    };
    expect([at(103), at(108)]).toEqual([3 * ms, 5.5 * ms]);
  });

  it('is over with the first good read after the replacement if the probe saw no error', () => {
    const events = [
      ...reads(0, 100),
      fault(100),
      daemon(103, 'exited'),
      mount(104.2, where, '/data'),
      ...reads(100, 150),
    ];
    const [sample] = crashSamples(events, scenario, [pod]);
    expect(sample?.moments).toMatchObject({ connectionEnded: 3 * ms, readable: 4.5 * ms });
  });

  it('has each moment since the crash, those of the mounts from the mount tables', () => {
    const healed = [
      sourceMount,
      mount(204, 'node', target),
      mount(206, where, '/data'),
      agent(215, 'recovered', where),
    ];
    const [sample] = crashSamples([...crash, ...healed, ...reads(210, 300)], scenario, [pod]);
    expect(sample).toMatchObject({
      at: 100 * ms,
      pod: 'ns/app',
      moments: {
        firstError: 0.5 * ms,
        noticed: 2 * ms,
        daemonReady: 100 * ms,
        mountVisible: 99 * ms,
        replacedOnNode: 104 * ms,
        replacedInPod: 106 * ms,
        readable: 110.5 * ms,
        steady: 119.5 * ms,
        verified: 115 * ms,
      },
      errors: { ENOTCONN: 110 },
      late: 0,
    });
  });

  it('believes the agent’s word, and a good read, where they come before the table was looked at', () => {
    const late = [agent(203, 'replaced', 'node'), mount(240, 'node', target), mount(240, where, '/data')];
    const [sample] = crashSamples([...crash, ...late, ...reads(210, 300)], scenario, [pod]);
    expect(sample?.moments).toMatchObject({ replacedOnNode: 103 * ms, replacedInPod: 110.5 * ms });
  });

  it('has no first good read if there was none', () => {
    const [sample] = crashSamples([...crash, ...reads(210, 300, 'ENOTCONN')], scenario, [pod]);
    expect(sample?.moments).not.toHaveProperty('readable');
    expect(sample?.moments).not.toHaveProperty('steady');
  });

  it('is over when the pod is steady, whatever stalls before the next crash', () => {
    const stalled = (at: number, over: boolean) =>
      event({ kind: 'hang', at, probe: pod.probe, op: 'read', since: 300 * ms, over });
    const next = [stalled(400, false), fault(450), daemon(451, 'exited'), stalled(460, true), ...reads(461, 500)];
    const [sample] = crashSamples([...crash, ...reads(210, 300), ...next], scenario, [pod]);
    expect(sample?.moments).toMatchObject({ readable: 110.5 * ms, steady: 119.5 * ms });
  });

  it('is not over with a good read that others follow which fail', () => {
    const flapping = [...reads(210, 215), ...reads(215, 220, 'ENOTCONN'), ...reads(220, 300)];
    const [sample] = crashSamples([...crash, ...flapping], scenario, [pod]);
    expect(sample?.moments).toMatchObject({ readable: 120.5 * ms, steady: 129.5 * ms });
  });

  it('is not over with an operation that another one blocked, nor steady while operations are late', () => {
    const blocked = event({
      kind: 'probe',
      at: 210,
      probe: pod.probe,
      op: 'read',
      startedAt: 211 * ms,
      finishedAt: 211 * ms,
      result: 'ok',
    });
    const late = event({
      kind: 'probe',
      at: 216,
      probe: pod.probe,
      op: 'read',
      startedAt: 216 * ms,
      finishedAt: 230 * ms,
      result: 'ok',
    });
    const events = [...crash, blocked, ...reads(212, 216), late, ...reads(231, 300)];
    const [sample] = crashSamples(events, scenario, [pod]);
    expect(sample?.moments).toMatchObject({ readable: 112.5 * ms, steady: 140.5 * ms });
  });

  it('is none of a pod’s whose probe was not there', () => {
    const events = [...crash, ...reads(210, 300)];
    expect(crashSamples(events, scenario, [{ ...pod, from: 150 * ms }])).toEqual([]);
    expect(crashSamples(events, scenario, [{ ...pod, to: 50 * ms }])).toEqual([]);
  });

  it('is none of a pod’s whose dataset it is not', () => {
    expect(crashSamples([...crash, ...reads(210, 300)], scenario, [{ ...pod, daemon: 'ns/other-' }])).toEqual([]);
  });
});
