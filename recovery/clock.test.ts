import { describe, expect, it } from 'vitest';
import { sleepBy } from './clock.ts';
import { createModelledClock } from './engine/testing/modelled-clock.ts';

describe('a sleep on a clock', () => {
  const clock = createModelledClock();

  it('ends when its time has passed', async () => {
    let isOver = false;
    const slept = sleepBy(clock)(500, new AbortController().signal).then(() => {
      isOver = true;
    });
    await clock.advance(499);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await slept;
    expect(isOver).toBe(true);
  });

  it('rejects when it is aborted, also before it begins', async () => {
    const stop = new AbortController();
    const slept = sleepBy(clock)(500, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(slept).rejects.toThrow('stopped');
    await expect(sleepBy(clock)(500, stop.signal)).rejects.toThrow('stopped');
  });
});
