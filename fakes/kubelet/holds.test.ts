import { describe, expect, it } from 'vitest';
import { Holds } from './holds.ts';

const address = 'ns/pod/container';
const never = new AbortController().signal;

/** Whether a promise is settled by the end of this turn of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => setImmediate(resolve, 'later'));
  return (await Promise.race([promise, later])) !== 'later';
}

describe('holds', () => {
  it('keep a container from being started until all of them are released', async () => {
    const holds = new Holds();
    const first = holds.hold(address);
    const released = holds.released(address, never);
    expect(await isSettled(released)).toBe(false);
    const second = holds.hold(address);
    first[Symbol.dispose]();
    expect(await isSettled(released)).toBe(false);
    second[Symbol.dispose]();
    expect(await isSettled(released)).toBe(true);
  });

  it('keep no other container waiting', async () => {
    const holds = new Holds();
    using _ = holds.hold(address);
    expect(await isSettled(holds.released('ns/pod/other', never))).toBe(true);
  });

  it('let go of a pod that ends', async () => {
    const holds = new Holds();
    using _ = holds.hold(address);
    const ended = new AbortController();
    const released = holds.released(address, ended.signal);
    ended.abort();
    expect(await isSettled(released)).toBe(true);
  });
});
