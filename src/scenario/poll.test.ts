import { describe, expect, it } from 'vitest';
import { type PollOptions, PollTimeout, poll } from './poll.ts';

function counting(until: number): PollOptions<number> {
  let seen = 0;
  return {
    what: 'the count is reached',
    look: () => ++seen,
    until: (value) => value >= until,
    say: (value) => `count ${value}`,
    timeoutMs: 30,
    everyMs: 1,
    signal: new AbortController().signal,
  };
}

describe('a wait', () => {
  it('ends with the first value that is as wanted', async () => {
    expect(await poll(counting(3))).toBe(3);
  });

  it('fails with what it waited for and what it saw instead', async () => {
    const waiting = poll({ ...counting(Number.POSITIVE_INFINITY), look: () => 7 });
    await expect(waiting).rejects.toBeInstanceOf(PollTimeout);
    await expect(waiting).rejects.toThrow('the count is reached: not after 0.0 s; last seen: count 7');
  });

  it('ends at once when it is told to stop', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(poll({ ...counting(1), signal: stop.signal })).rejects.toThrow('aborted');
  });
});
