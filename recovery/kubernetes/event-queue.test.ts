import { describe, expect, it } from 'vitest';
import { createEventQueue, type EventDraft, type EventQueueOptions } from './event-queue.ts';
import { ApiError } from './transport.ts';

/** An event on the pod that its message is about. */
const draft = (message: string, name = message): EventDraft => ({
  type: 'Normal',
  reason: 'FuseRecoverSucceed',
  message,
  object: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name, uid: `uid-${name}` },
});

const onDataset = (message: string): EventDraft => ({
  ...draft(message),
  isAggregated: true,
  object: { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', namespace: 'default', name: 'demo' },
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

  it('slows down after a burst, and has sent the events of 250 pods after 10 seconds', async () => {
    const { queue, sent, slept } = recording();
    for (let i = 0; i < 250; i++) queue.push(draft(String(i)));
    await settled(sent, 250);
    const total = slept.reduce((sum, ms) => sum + ms, 0);
    expect(slept[1]).toBe(50);
    expect(total).toBeGreaterThanOrEqual(held + (200 / 20) * 1000);
    expect(total).toBeLessThan(held + 10_500);
  });

  it('sends one event for all mounts of a dataset that recover together, with their number', async () => {
    const { queue, sent, pass } = recording();
    for (let i = 0; i < 250; i++) queue.push(onDataset(`pod-${i} reads again`));
    await settled(sent, 1);
    expect(sent).toEqual(['create pod-0 reads again (and 249 more like it) x1']);
    pass(60_000);
    queue.push(onDataset('pod-0 reads again, the second time'));
    await settled(sent, 2);
    expect(sent[1]).toBe('create pod-0 reads again, the second time x1');
  });

  it('keeps the number of the others if the message is long', async () => {
    const { queue, sent } = recording();
    queue.push(onDataset('x'.repeat(2000)));
    queue.push(onDataset('y'));
    await settled(sent, 1);
    expect(sent[0]).toMatch(/^create x+ \(and 1 more like it\) x1$/);
    expect(sent[0]?.length).toBeLessThan(1024 + 'create  x1'.length);
  });

  it('drops the events of an object beyond its limit, and continues with others', async () => {
    const { queue, sent, dropped, pass } = recording();
    for (let i = 0; i < 30; i++) queue.push(draft(`crash ${i}`, 'flapping'));
    queue.push(draft('other'));
    await settled(sent, 26);
    expect(sent.at(-1)).toBe('create other x1');
    expect(dropped).toEqual([25, 26, 27, 28, 29].map((i) => `crash ${i} limited`));
    pass(300_000);
    queue.push(draft('later', 'flapping'));
    queue.push(draft('too many', 'flapping'));
    await settled(sent, 27);
    await expect.poll(() => dropped.at(-1), { interval: 1 }).toBe('too many limited');
    expect(sent.at(-1)).toBe('create later x1');
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
