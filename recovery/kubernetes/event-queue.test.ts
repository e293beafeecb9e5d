import { describe, expect, it } from 'vitest';
import { createEventQueue, type EventDraft, type EventQueueOptions } from './event-queue.ts';
import { ApiError } from './transport.ts';

const draft = (message: string): EventDraft => ({
  type: 'Normal',
  reason: 'FuseRecoverSucceed',
  message,
  object: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'demo', uid: 'u' },
});

const request = {
  method: 'POST',
  path: '/api/v1/namespaces/default/events',
  signal: new AbortController().signal,
} as const;

/** A queue with a recording sender that the test controls, and a clock that stands still. */
function recording(options: Partial<EventQueueOptions> = {}) {
  const sent: string[] = [];
  const dropped: string[] = [];
  const slept: number[] = [];
  const answers: ('refuse' | 'forbid' | 'gone')[] = [];
  let time = 0;
  let held: PromiseWithResolvers<void> | undefined;
  const answer = async () => {
    await held?.promise;
    const said = answers.shift();
    if (said === 'refuse') throw new Error('away');
    if (said === 'forbid') throw new ApiError(403, request, 'the namespace is being terminated');
    return said;
  };
  const queue = createEventQueue({
    sender: {
      async create({ message }, { count }) {
        sent.push(`create ${message} x${count}`);
        await answer();
        return `event-${message}`;
      },
      async count(_, name, { count }) {
        sent.push(`count ${name} x${count}`);
        return (await answer()) === 'gone' ? 'gone' : 'counted';
      },
    },
    now: () => new Date(time),
    sleep: async (ms) => {
      slept.push(ms);
      time += ms;
    },
    onDropped: ({ message }, why) => void dropped.push(`${message} ${why}`),
    ...options,
  });
  return {
    queue,
    sent,
    dropped,
    slept,
    answers,
    pass: (ms: number) => {
      time += ms;
    },
    hold: () => {
      held = Promise.withResolvers();
      return held.resolve;
    },
  };
}

/** Milliseconds before the first event is sent. */
const held = 500;
const settled = (sent: string[], length: number) => expect.poll(() => sent.length, { interval: 1 }).toBe(length);

describe('the event queue', () => {
  it('creates an event once and counts it when it recurs', async () => {
    const { queue, sent } = recording();
    queue.push(draft('a'));
    await settled(sent, 1);
    queue.push(draft('a'));
    await settled(sent, 2);
    expect(sent).toEqual(['create a x1', 'count event-a x2']);
  });

  it('combines events that occur during a request into one count', async () => {
    const { queue, sent, hold } = recording();
    const release = hold();
    queue.push(draft('a'));
    await settled(sent, 1);
    for (let i = 0; i < 100; i++) queue.push(draft('a'));
    release();
    await settled(sent, 2);
    expect(sent[1]).toBe('count event-a x101');
  });

  it('creates an event again once the old one is forgotten', async () => {
    const { queue, sent, pass, answers } = recording();
    queue.push(draft('a'));
    await settled(sent, 1);
    pass(11 * 60_000);
    queue.push(draft('a'));
    await settled(sent, 2);
    expect(sent[1]).toBe('create a x1');
    answers.push('gone');
    queue.push(draft('a'));
    await settled(sent, 4);
    expect(sent.slice(2)).toEqual(['count event-a x2', 'create a x2']);
  });

  it('retries, and finally gives up', async () => {
    const { queue, sent, dropped, answers, slept } = recording();
    answers.push('refuse', 'refuse', 'refuse', 'refuse', 'refuse');
    queue.push(draft('a'));
    await expect.poll(() => dropped, { interval: 1 }).toEqual(['a refused']);
    expect(sent).toHaveLength(5);
    expect(slept).toEqual([held, 1000, 2000, 4000, 8000]);
    queue.push(draft('b'));
    await settled(sent, 6);
  });

  it('drops an event that the API server rejects and continues with the next', async () => {
    const { queue, sent, dropped, answers, slept } = recording();
    answers.push('forbid');
    queue.push(draft('a'));
    queue.push(draft('b'));
    await settled(sent, 2);
    expect(dropped).toEqual(['a refused']);
    expect(sent).toEqual(['create a x1', 'create b x1']);
    expect(slept).toEqual([held]);
  });

  it('drops and reports events beyond its capacity', async () => {
    const { queue, sent, dropped, hold } = recording({ capacity: 2 });
    const release = hold();
    queue.push(draft('a'));
    await settled(sent, 1);
    for (const message of ['b', 'c', 'd', 'b']) queue.push(draft(message));
    expect(dropped).toEqual(['d full']);
    release();
    await settled(sent, 3);
    expect(sent).toEqual(['create a x1', 'create b x2', 'create c x1']);
  });

  it('slows down after a burst', async () => {
    const { queue, sent, slept } = recording();
    for (let i = 0; i < 60; i++) queue.push(draft(String(i)));
    await settled(sent, 60);
    expect(slept).toEqual([held, ...Array(slept.length - 1).fill(200)]);
    expect(slept.length).toBeGreaterThanOrEqual(5);
  });

  it('delays events by half a second and sends identical ones once', async () => {
    const release = Promise.withResolvers<void>();
    const { queue, sent } = recording({ sleep: () => release.promise });
    queue.push(draft('a'));
    queue.push(draft('a'));
    await new Promise(setImmediate);
    expect(sent).toEqual([]);
    release.resolve();
    await settled(sent, 1);
    expect(sent).toEqual(['create a x2']);
  });

  it('can be disposed of while it waits', async () => {
    const { queue, sent, hold } = recording();
    const release = hold();
    queue.push(draft('a'));
    queue.push(draft('b'));
    await settled(sent, 1);
    const ended = queue[Symbol.asyncDispose]();
    release();
    await ended;
    queue.push(draft('c'));
    expect(sent).toEqual(['create a x1']);
  });
});
