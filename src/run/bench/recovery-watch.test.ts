import { describe, expect, it } from 'vitest';
import type { HistoryEvent, ProbeOperation } from '../../timeline/record.ts';
import { RecoveryWatch } from './recovery-watch.ts';

const ms = 1e6;
const probe = 'ns/pod/demo:/data';
const operation = (at: number, result = 'ok', { op = 'read' as ProbeOperation, late = 0 } = {}): HistoryEvent => ({
  kind: 'probe',
  probe,
  op,
  at: at * ms,
  startedAt: at * ms,
  finishedAt: (at + 1 + late) * ms,
  result,
});
const ready = (at: number): HistoryEvent => {
  return { kind: 'process', role: 'daemon', name: 'fuse', change: 'ready', at: at * ms };
};
const good = (from: number, count: number) => Array.from({ length: count }, (_, index) => operation(from + index));

function watching(...events: readonly HistoryEvent[]): RecoveryWatch {
  const watch = new RecoveryWatch();
  watch.add(probe);
  watch.begin(100 * ms);
  for (const event of events) watch.take(event);
  return watch;
}

describe('a pod', () => {
  it('is steady after ten good operations in a row that follow an error', () => {
    expect(watching(operation(101, 'ENOTCONN'), ...good(102, 9)).steady).toBe(false);
    expect(watching(operation(101, 'ENOTCONN'), ...good(102, 10)).steady).toBe(true);
  });

  it('is not steady before it has felt the crash', () => {
    expect(watching(...good(101, 50)).steady).toBe(false);
  });

  it('does not fail if its probe is too slow to see the crash, once the daemon is back', () => {
    expect(watching(ready(150), ...good(151, 10)).steady).toBe(true);
  });

  it('begins anew with an error, and with an operation that was late', () => {
    const failed = operation(101, 'ENOTCONN');
    expect(watching(failed, ...good(102, 9), operation(111, 'EIO'), ...good(112, 9)).steady).toBe(false);
    expect(watching(failed, ...good(102, 9), operation(111, 'ok', { late: 20 }), ...good(112, 9)).steady).toBe(false);
  });

  it('is not judged by what was due before the crash', () => {
    expect(watching(operation(101, 'ENOTCONN'), ...good(50, 10)).steady).toBe(false);
  });

  it('is not steady by stat alone, which the kernel answers for a dead mount, too', () => {
    const stats = Array.from({ length: 20 }, (_, index) => operation(102 + index, 'ok', { op: 'stat' }));
    expect(watching(operation(101, 'ENOTCONN'), ...stats).steady).toBe(false);
  });
});
