import { describe, expect, it } from 'vitest';
import type { HistoryEvent, ProbeEvent } from '../timeline/record.ts';
import { createNarrator } from './printer.ts';

const probe = (at: number, result: string, op: ProbeEvent['op'] = 'read'): ProbeEvent => ({
  kind: 'probe',
  at,
  startedAt: at,
  finishedAt: at,
  probe: 'default/demo-app/demo:/data',
  op,
  result,
});

function narration(events: readonly HistoryEvent[], crash?: number): readonly string[] {
  const lines: string[] = [];
  const narrate = createNarrator({ write: (line) => lines.push(line.trim()), crashedAt: () => crash });
  for (const event of events) narrate(event);
  narrate.flush();
  return lines;
}

describe('the story of a crash', () => {
  it('prints the probe only if its result changes, timed from the crash', () => {
    const seen = [
      probe(0, 'ok'),
      probe(5e6, 'ok'),
      probe(11e6, 'ENOTCONN'),
      probe(12e6, 'ENOTCONN'),
      probe(20e6, 'ok'),
    ];
    expect(narration(seen, 10e6)).toEqual([
      '-10.0 ms  pod      reads /data',
      '+1.0 ms  pod      read fails: ENOTCONN',
      '+10.0 ms  pod      reads again',
    ]);
  });

  it('puts what arrives late in its place', () => {
    const fault = { kind: 'fault', fault: 'sigkill', phase: 'injected', target: 'x' } as const;
    const lines = narration([probe(9e6, 'ok'), probe(12e6, 'ENOTCONN'), { ...fault, at: 10e6 }], 10e6);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['-1.0', '+0.0', '+2.0']);
  });

  it('does not count a stat, which may come from a cache, as reading again', () => {
    expect(narration([probe(1, 'ENOTCONN'), probe(2, 'ok', 'stat')])).toEqual(['pod      read fails: ENOTCONN']);
  });

  it('prints FUSE mounts only', () => {
    const mount = {
      kind: 'mount',
      at: 0,
      where: 'node',
      change: 'added',
      id: 1,
      device: '0:50',
      mountPoint: '/x',
      options: 'ro,nosuid',
    } as const;
    expect(
      narration([
        { ...mount, fstype: 'tmpfs' },
        { ...mount, fstype: 'fuse.jindofs' },
      ]),
    ).toEqual(['node     mount added: /x (0:50, ro)']);
  });
});
