import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createModelledClock } from '../engine/testing/modelled-clock.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { gateIn, isGateOn, watchOtherPlugin } from './other-plugin.ts';

const plugin = (gate: boolean) => ({
  metadata: { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid', resourceVersion: '2' },
  spec: {
    template: {
      spec: {
        containers: [
          { name: 'registrar' },
          { name: 'plugins', args: ['--v=5', `--feature-gates=FuseRecovery=${gate}`] },
        ],
      },
    },
  },
});

it.each<[readonly unknown[], boolean | undefined]>([
  [[], undefined],
  [['--v=5', undefined, 7], undefined],
  [['--feature-gates=FuseRecovery=true'], true],
  [['--feature-gates', 'A=true,FuseRecovery=1'], true],
  [['--feature-gates=FuseRecovery=true,FuseRecovery=False'], false],
  [['--feature-gates=NotFuseRecovery=true'], undefined],
])('the gate in %j is %s', (words, gate) => {
  expect(gateIn(words)).toBe(gate);
});

it('a DaemonSet without containers has no gate on', () => {
  expect(isGateOn({})).toBe(false);
  expect(isGateOn(plugin(true))).toBe(true);
});

it('notifies when the other node plugin starts to recover, stops, and is deleted', async () => {
  const watch = new PassThrough();
  const transport: Transport = {
    json: async () => ({ metadata: { resourceVersion: '1' }, items: [plugin(false)] }),
    stream: async ({ signal }) => {
      signal.addEventListener('abort', () => watch.destroy(signal.reason as Error));
      return watch as never;
    },
  };
  const told: boolean[] = [];
  await using other = watchOtherPlugin({
    transport,
    plugin: { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid' },
    clock: createModelledClock(),
    random: () => 0,
    onError: () => {},
    onRecovered: () => {},
    onChange: () => void told.push(other.recovers()),
  });
  await other.synced;
  expect({ recovers: other.recovers(), told }).toEqual({ recovers: false, told: [] });
  const events = [
    { type: 'MODIFIED', object: plugin(true) },
    { type: 'MODIFIED', object: plugin(true) },
    { type: 'MODIFIED', object: plugin(false) },
    { type: 'MODIFIED', object: plugin(true) },
    { type: 'DELETED', object: plugin(true) },
  ];
  for (const event of events) watch.write(`${JSON.stringify(event)}\n`);
  await expect.poll(() => told).toEqual([true, false, true, false]);
});
