import { describe, expect, it } from 'vitest';
import { type PollOptions, PollTimeout, poll, pollOrLast, timeoutMultiplier } from './poll.ts';

function counting(until: number): PollOptions<number> {
  let seen = 0;
  return {
    condition: 'the count is reached',
    read: () => ++seen,
    until: (value) => value >= until,
    format: (value) => `count ${value}`,
    timeoutMs: 30,
    intervalMs: 1,
    signal: new AbortController().signal,
  };
}

describe('poll', () => {
  it('resolves with the first value that satisfies the condition', async () => {
    expect(await poll(counting(3))).toBe(3);
  });

  it('rejects with the condition and the last value', async () => {
    const waiting = poll({ ...counting(Number.POSITIVE_INFINITY), read: () => 7 });
    await expect(waiting).rejects.toBeInstanceOf(PollTimeout);
    await expect(waiting).rejects.toThrow('the count is reached: not after 0.0 s; last seen: count 7');
  });

  it('rejects at once when aborted', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(poll({ ...counting(1), signal: stop.signal })).rejects.toThrow('aborted');
  });
});

describe('pollOrLast', () => {
  it('resolves with the last value after the timeout', async () => {
    expect(await pollOrLast({ ...counting(Number.POSITIVE_INFINITY), read: () => 7 })).toBe(7);
  });
});

describe('the timeout multiplier', () => {
  it.each([
    [undefined, 1],
    ['6', 6],
    ['0.1', 1],
    ['six', 1],
  ])('never shortens a wait: %s is %d', (given, multiplier) => {
    expect(timeoutMultiplier({ REKINDLE_TIMEOUT_MULTIPLIER: given })).toBe(multiplier);
  });
});
