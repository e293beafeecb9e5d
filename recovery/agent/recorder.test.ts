import { describe, expect, it } from 'vitest';
import type { Nanoseconds, Pod } from '../engine/model.ts';
import type { EventDraft } from '../kubernetes/event-queue.ts';
import { createLog } from '../log.ts';
import { createRecorder } from './recorder.ts';
import { volume } from './testing/demo-volume.ts';

const pod: Pod = {
  uid: 'u1',
  namespace: 'default',
  name: 'app',
  labels: {},
  annotations: {},
  deleting: false,
  volumes: ['default-demo'],
  containers: [],
};
const site = {
  kind: 'container',
  podUid: 'u1',
  container: 'main',
  mountNamespace: 'mnt:[1]',
  pid: 7,
  path: '/data',
} as const;

describe('a decision', () => {
  it('is one line of the log with the time, the pod and the mount site, a metric, and events', () => {
    const lines: string[] = [];
    const events: EventDraft[] = [];
    const counted: string[] = [];
    const recorder = createRecorder({
      log: createLog({ write: (line) => void lines.push(line) }, () => 42n as Nanoseconds),
      metrics: { record: ({ event }) => void counted.push(event) },
      events: { push: (event) => void events.push(event) },
      kubernetes: { view: () => ({ volumes: [volume], pods: [pod] }) },
    });
    recorder({ event: 'recovered', volume, site, took: 1_500_000n as Nanoseconds });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        ns: '42',
        event: 'recovered',
        volume: 'default-demo',
        place: 'container',
        podUid: 'u1',
        pod: 'default/app',
        container: 'main',
        pid: 7,
        path: '/data',
        tookNs: 1_500_000,
      },
    ]);
    expect(counted).toEqual(['recovered']);
    expect(events.map(({ object, reason }) => `${object.kind} ${reason}`)).toEqual([
      'Dataset FuseRecoverSucceed',
      'Pod FuseRecoverSucceed',
    ]);
  });
});
