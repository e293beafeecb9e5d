import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { failsCleanly } from './held-file.ts';
import { agent, beats, type CheckRow, fault, ms, where } from './testing/sample-history.ts';

describe('a file that was held open', () => {
  const kernel = '6.18.5';
  const read = (at: number, text: string): HistoryEvent => ({
    kind: 'output',
    at: at * ms,
    program: 'holder',
    stream: 'stdout',
    text,
  });
  const before = [read(100, 'ok'), fault(200), read(250, 'ENOTCONN'), agent(300, 'recovered', where)];
  const after = [read(350, 'ENOTCONN'), read(400, 'ENOTCONN'), read(450, 'ENOTCONN')];
  it.each<CheckRow>([
    [
      'passes if it fails to the end',
      [...before, ...after],
      'pass',
      'all 4 reads since the crash failed with ENOTCONN, 3',
    ],
    [
      'passes if only the pod shows the recovery',
      [
        ...before.slice(0, 3),
        ...beats({ from: 200, to: 300, result: 'ENOTCONN' }),
        ...beats({ from: 300, to: 340 }),
        ...after,
      ],
      'pass',
      'all 4 reads since the crash failed with ENOTCONN, 3',
    ],
    ['fails on other bytes', [...before, ...after, read(500, 'wrong')], 'fail', 'other bytes'],
    ['fails on another errno', [...before, ...after, read(500, 'EIO')], 'fail', 'EIO'],
    ['fails if it reads again', [...before, ...after, read(500, 'ok')], 'fail', 'good again'],
    ['is inconclusive if it is not tried again', before, 'inconclusive', 'only 0 of 3'],
    ['is inconclusive if it was not read before', before.slice(1), 'inconclusive', 'not read before'],
    ['is inconclusive if it went on', [read(100, 'ok'), fault(200), read(250, 'ok')], 'inconclusive', 'no read failed'],
  ])('%s', (_, history, verdict, says) => {
    expect(failsCleanly(new Timeline(history), { program: 'holder', kernel })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });

  it('accepts EIO from Linux 6.19 on, because cached reads answer so', () => {
    const history = [...before, ...after, read(500, 'EIO')];
    expect(failsCleanly(new Timeline(history), { program: 'holder', kernel: '6.19.1' }).verdict).toBe('pass');
  });
});
