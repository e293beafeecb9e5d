import { describe, expect, it } from 'vitest';
import { clockOffset, toOurClockEvent } from './node-link.ts';

describe('the offset of a node’s clock', () => {
  it('comes from the quickest reply, half way between request and reply', () => {
    const slow = { sentAt: 0, remote: 5_000, receivedAt: 4_000 };
    const quick = { sentAt: 10_000, remote: 11_100, receivedAt: 10_200 };
    expect(clockOffset([slow, quick])).toEqual({ offsetNs: 1_000, errorNs: 100 });
  });

  it('is unknown without a reply', () => {
    expect(clockOffset([]).errorNs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('an event of a node', () => {
  it('has all of its times on our clock', () => {
    const probe = { kind: 'probe', probe: 'a', op: 'read', result: 'ok' } as const;
    expect(toOurClockEvent({ ...probe, at: 100, startedAt: 101, finishedAt: 105 }, 90)).toMatchObject({
      at: 10,
      startedAt: 11,
      finishedAt: 15,
    });
    const hang = { kind: 'hang', probe: 'a', op: 'list', over: false } as const;
    expect(toOurClockEvent({ ...hang, at: 100, since: 95 }, 90)).toMatchObject({ at: 10, since: 5 });
    expect(toOurClockEvent({ kind: 'note', at: 100, text: 'x' }, -10)).toEqual({ kind: 'note', at: 110, text: 'x' });
  });
});
