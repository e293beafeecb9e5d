import { expect, test, vi } from 'vitest';
import { ready } from '../../recovery/linux/prober/protocol.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { foreignReadiness } from './foreign-readiness.ts';

/** A prober for which each path is on the live device 0:42. It answers in the order of the questions. */
const script = `
  process.stdout.write(${JSON.stringify(`${ready}\n`)});
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, device } = JSON.parse(line);
    const answer = device === '0:42' ? {} : { unknown: 'ESTALE' };
    process.stdout.write(JSON.stringify({ id, ...answer }) + '\\n');
  });`;
const daemon = 'ns/data-jindofs-fuse-x1/jindofs-fuse';
const started = { kind: 'process', at: 1, role: 'daemon', name: daemon, change: 'started', pid: 7 } as const;
const mount = (device: string, mountPoint = '/runtime-mnt/jindo/ns/data/jindofs-fuse') =>
  ({
    kind: 'mount',
    at: 2,
    where: 'node',
    change: 'added',
    id: 1,
    device,
    mountPoint,
    fstype: 'fuse',
    options: '',
  }) as const;

/** A prober takes long to start on a busy machine. */
const patiently = { timeout: 30_000 };

function watching() {
  const said: HistoryEvent[] = [];
  const readiness = foreignReadiness({
    onEvent: (event) => void said.push(event),
    prober: [process.execPath, '--eval', script],
    mountRoot: '/runtime-mnt',
  });
  return { readiness, ready: () => said.filter((event) => event.kind === 'process' && event.change === 'ready') };
}

test('reports a daemon as ready when its mount answers, even before its start was seen', async () => {
  const { readiness, ready } = watching();
  await using _ = readiness;
  readiness.take(mount('0:42', '/runtime-mnt/jindo/ns/early/jindofs-fuse'));
  readiness.take(started);
  readiness.take(mount('0:42'));
  // The first mount was asked before this one.
  await vi.waitFor(
    () => expect(ready()).toMatchObject([{ role: 'daemon', name: daemon, change: 'ready', by: 'statfs' }]),
    patiently,
  );
  const name = 'ns/early-jindofs-fuse-x2/jindofs-fuse';
  readiness.take({ ...started, name });
  await vi.waitFor(() => expect(ready()[1]).toMatchObject({ name, change: 'ready' }), patiently);
});

test('distinguishes a standby from the daemon at the dataset’s own path', async () => {
  const { readiness, ready } = watching();
  await using _ = readiness;
  const standby = 'ns/data-jindofs-fuse-standby-0-x3/jindofs-fuse';
  for (const name of [standby, daemon]) readiness.take({ ...started, name });
  readiness.take(mount('0:42'));
  await vi.waitFor(() => expect(ready()).toMatchObject([{ name: daemon }]), patiently);
  readiness.take(mount('0:42', '/runtime-mnt/jindo/ns/data/standby-0/jindofs-fuse'));
  await vi.waitFor(() => expect(ready()[1]).toMatchObject({ name: standby }), patiently);
});

test('ignores mounts of other instances and mounts that belong to no dataset', async () => {
  const { readiness, ready } = watching();
  await using _ = readiness;
  readiness.take(started);
  readiness.take(mount('0:43'));
  readiness.take(mount('0:42', '/runtime-mnt/other'));
  readiness.take(mount('0:42'));
  await vi.waitFor(() => expect(ready()).toHaveLength(1), patiently);
});
