import { ApiError } from './transport.ts';

/** A Kubernetes event before it is sent, without times and count. */
export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid?: string;
  };
}

/** How often an event occurred, and when. */
export interface Occurrences {
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
}

/** Writes events to the API server. */
export interface EventSender {
  /** Creates an event and returns its name. */
  create(draft: EventDraft, seen: Occurrences): Promise<string>;
  /** Updates the count of an existing event. Returns `gone` if the API server has deleted it, which happens after an hour. */
  count(draft: EventDraft, name: string, seen: Occurrences): Promise<'counted' | 'gone'>;
}

export interface EventQueueOptions {
  readonly sender: EventSender;
  readonly now: () => Date;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Called for each dropped event with the reason. */
  readonly onDropped: (draft: EventDraft, why: 'full' | 'refused', error?: unknown) => void;
  /** Maximum number of different events that may wait. */
  readonly capacity?: number;
}

export interface EventQueue extends AsyncDisposable {
  /** Never blocks or throws. */
  push(draft: EventDraft): void;
}

interface QueuedEvent {
  readonly draft: EventDraft;
  count: number;
  readonly first: Date;
  last: Date;
  /** Set once the event has been created. */
  name?: string;
  tries: number;
}

/** An event that recurs within this time is counted instead of created again (as in client-go's event correlator). */
const forgetMs = 10 * 60_000;
/** Maximum number of events that are remembered for counting. */
const remembered = 1024;
/** Rate limit of requests: the burst, and then the rate per second. Events that recur meanwhile are counted. */
const burst = 50;
const perSecond = 5;
const tries = 5;
/** Delay before the first event is sent, because right after a crash the agent's CPU time belongs to the pods. */
const holdMs = 500;

/**
 * Client errors are not retried, because other events wait behind them. The usual cause is a namespace that is terminating or
 * deleted. The exceptions are an expired token and a busy server.
 */
const isRefused = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);

/**
 * Sends events one at a time and counts identical ones. They wait while the API server is unavailable. Events beyond the
 * capacity are dropped and reported, so that memory and CPU time stay bounded.
 */
export function createEventQueue(options: EventQueueOptions): EventQueue {
  const { sender, now, sleep, onDropped, capacity = 1000 } = options;
  const known = new Map<string, QueuedEvent>();
  const pending = new Map<string, QueuedEvent>();
  const ended = new AbortController();
  let budget = { tokens: burst, at: now().getTime() };
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    for (;;) {
      const [next] = pending;
      if (next === undefined || ended.signal.aborted) return;
      const [key, entry] = next;
      await pace();
      pending.delete(key);
      const seen = { count: entry.count, first: entry.first, last: entry.last };
      try {
        const counted = entry.name !== undefined && (await sender.count(entry.draft, entry.name, seen)) === 'counted';
        if (!counted) entry.name = await sender.create(entry.draft, seen);
        entry.tries = 0;
      } catch (error) {
        await again(key, entry, error);
      }
    }
  }

  function start(): void {
    working ??= sleep(holdMs, ended.signal)
      .then(work)
      .catch(() => {}) // only the sleeps reject, at disposal
      .finally(() => {
        working = undefined;
        if (pending.size > 0 && !ended.signal.aborted) start();
      });
  }

  async function again(key: string, entry: QueuedEvent, error: unknown): Promise<void> {
    entry.tries += 1;
    if (entry.tries < tries && !isRefused(error)) {
      pending.set(key, entry);
      await sleep(500 * 2 ** entry.tries, ended.signal);
    } else {
      known.delete(key);
      onDropped(entry.draft, 'refused', error);
    }
  }

  async function pace(): Promise<void> {
    const at = now().getTime();
    const tokens = Math.min(burst, budget.tokens + ((at - budget.at) / 1000) * perSecond);
    budget = { tokens: tokens - 1, at };
    if (tokens < 1) await sleep(1000 / perSecond, ended.signal);
  }

  function entryOf(key: string, draft: EventDraft): QueuedEvent {
    const at = now();
    const entry = known.get(key);
    known.delete(key);
    if (entry !== undefined && at.getTime() - entry.last.getTime() < forgetMs) {
      entry.count += 1;
      entry.last = at;
      known.set(key, entry);
      return entry;
    }
    const fresh: QueuedEvent = { draft, count: 1, first: at, last: at, tries: 0 };
    known.set(key, fresh);
    for (const [oldest] of known) {
      if (known.size <= remembered) break;
      known.delete(oldest);
    }
    return fresh;
  }

  return {
    push(draft) {
      if (ended.signal.aborted) return;
      const { type, reason, message, object } = draft;
      const key = [object.kind, object.namespace, object.name, object.uid, type, reason, message].join('\0');
      if (!pending.has(key) && pending.size >= capacity) return onDropped(draft, 'full');
      pending.set(key, entryOf(key, draft));
      start();
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await working;
    },
  };
}
