import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { waitsWithinBudget } from './reads.ts';
import { answersOnce, daemonsGoOn, fallsBackInTime, heldFileGoesOn } from './takeover.ts';
import { beats, type CheckRow, consumer, fault, hang, ms } from './testing/sample-history.ts';

const output = (at: number, program: string, text: string): HistoryEvent => ({
  kind: 'output',
  at: at * ms,
  program,
  stream: 'stdout',
  text,
});

/** One read that was due at a moment and took so long. */
function read(at: number, tookMs: number, result = 'ok'): HistoryEvent {
  const [beat] = beats({ from: 0, to: 5, result });
  if (beat === undefined) throw new Error('there is no beat');
  return { ...beat, at: at * ms, startedAt: at * ms, finishedAt: (at + tookMs) * ms };
}

/** A daemon has ended. */
function exited(at: number, how: object = { signal: 'SIGKILL' }): HistoryEvent {
  return {
    kind: 'process',
    at: at * ms,
    role: 'daemon',
    name: 'jindofs-fuse',
    change: 'exited',
    ...how,
  } as HistoryEvent;
}

const steady = [...beats({ from: 0, to: 200 }), fault(200), ...beats({ from: 300, to: 500 })];

describe('a connection that is taken over', () => {
  it.each<CheckRow>([
    ['passes if the longest wait is within the budget', [...steady, read(200, 90)], 'pass', 'the longest took 90.0 ms'],
    ['fails if one operation waits longer', [...steady, read(200, 101)], 'fail', 'the budget is 100 ms'],
    [
      'counts from the death of the daemon for an operation that had begun before',
      [...steady, exited(150), read(60, 180)],
      'pass',
      'the longest took 90.0 ms',
    ],
    [
      'allows the budget for each of two daemons that die meanwhile',
      [...steady, exited(201), exited(280), read(200, 190)],
      'pass',
      'the longest took 189 ms for 2 daemons',
    ],
    [
      'fails if it waits longer for two daemons',
      [...steady, exited(201), exited(280), read(200, 210)],
      'fail',
      'the budget is 100 ms for each',
    ],
    ['fails if one operation fails', [...steady, read(200, 5, 'ENOTCONN')], 'fail', 'ENOTCONN'],
    [
      'fails if one operation is lost',
      [...steady, hang(201, 301, false), hang(4000, 4100, false)],
      'fail',
      'never came back',
    ],
    ['is inconclusive without a fault', beats({ from: 0, to: 500 }), 'inconclusive', 'no fault'],
    ['is inconclusive if nothing was done', steady.slice(0, 41), 'inconclusive', 'did nothing'],
  ])('%s', (_, history, verdict, says) => {
    expect(waitsWithinBudget(new Timeline(history), { consumer, stallMs: 100 })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('a file that is held open over a takeover', () => {
  const held = (at: number, text = 'ok') => output(at, 'holder', text);
  const before = [held(100), fault(200)];
  const after = [held(250), held(300), held(350)];
  it.each<CheckRow>([
    ['passes if it is read on', [...before, ...after], 'pass', 'all 4 reads were good, 3 after'],
    ['fails on an error', [...before, held(240, 'ENOTCONN'), ...after], 'fail', 'ENOTCONN, 40.0 ms after'],
    ['fails on other bytes', [...before, ...after, held(400, 'wrong')], 'fail', 'wrong'],
    ['is inconclusive if it was hardly read after the fault', [...before, held(250)], 'inconclusive', 'only 1 of 3'],
    ['is inconclusive without a fault', after, 'inconclusive', 'no fault'],
  ])('%s', (_, history, verdict, says) => {
    expect(heldFileGoesOn(new Timeline(history), { program: 'holder' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('the answers of daemons', () => {
  const line = (event: string) => output(300, 'ns/pod/jindofs-fuse', JSON.stringify({ event, unique: '7' }));
  it.each<CheckRow>([
    ['pass if the kernel takes each', [fault(200), line('resent')], 'pass', 'sent 1 requests again'],
    ['fail if the kernel refuses one', [fault(200), line('answer-refused')], 'fail', 'the first to 7'],
    ['are inconclusive without a fault', [line('resent')], 'inconclusive', 'no fault'],
  ])('%s', (_, history, verdict, says) => {
    expect(answersOnce(new Timeline(history))).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });
});

describe('daemons after a takeover', () => {
  const killed = exited(201);
  it.each<CheckRow>([
    ['pass if each was killed', [fault(200), killed], 'pass', '1 daemons ended'],
    ['fail if one ends by itself', [fault(200), killed, exited(300, { exitCode: 0 })], 'fail', 'with status 0'],
    ['are inconclusive without a fault', [killed], 'inconclusive', 'no fault'],
  ])('%s', (_, history, verdict, says) => {
    expect(daemonsGoOn(new Timeline(history))).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });
});

describe('a keeper that waits in vain', () => {
  const deadline = { consumer, deadlineMs: 1_000, slackMs: 100 };
  it.each<CheckRow>([
    [
      'passes if the wait ends in time',
      [...steady, read(200, 1_050, 'ECONNABORTED')],
      'pass',
      '1.05 s after the fault',
    ],
    ['fails if it ends late', [...steady, read(200, 1_150, 'ECONNABORTED')], 'fail', 'the deadline is 1.00 s'],
    ['fails if it never ends', [...steady, hang(201, 301, false), hang(4000, 4100, false)], 'fail', 'for ever'],
    ['is inconclusive if nothing failed', steady, 'inconclusive', 'no operation failed'],
    ['is inconclusive without a fault', beats({ from: 0, to: 500 }), 'inconclusive', 'no fault'],
  ])('%s', (_, history, verdict, says) => {
    expect(fallsBackInTime(new Timeline(history), deadline)).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});
