import { ApiError } from './transport.ts';

/** A Kubernetes event before it is sent, without times and count. */
export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Events about several mounts of the object that occur together are sent as one, with the number of the others. */
  readonly isAggregated?: true;
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
  readonly onDropped: (draft: EventDraft, why: 'full' | 'limited' | 'refused', error?: unknown) => void;
  /** Maximum number of different events that may wait. */
  readonly capacity?: number;
}

export interface EventQueue extends AsyncDisposable {
  /** Never blocks or throws. */
  push(draft: EventDraft): void;
}

interface QueuedEvent {
  readonly draft: EventDraft;
  /** Messages of the other events that it stands for. */
  readonly others: Set<string>;
  /** Milliseconds of the clock before which it is not sent. */
  readonly due: number;
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
/** Requests that the agent may send: a burst, and then a rate. Events that recur meanwhile are counted. */
const nodeLimit = { burst: 50, perSecond: 20 };
/** The same for one object, as in client-go's event correlator. Further events are dropped. */
const objectLimit = { burst: 25, perSecond: 1 / 300 };
/** Pods of one dataset recover within this time of each other. */
const aggregatedMs = 1_000;
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
 * Sends events one at a time, counts identical ones, and combines those of one dataset that differ only in the mount. They wait while the API
 * server is unavailable. Events beyond the capacity or the limit of their object are dropped and reported.
 */
export function createEventQueue(options: EventQueueOptions): EventQueue {
  const { sender, now, sleep, onDropped, capacity = 2500 } = options;
  const known = new Map<string, QueuedEvent>();
  const pending = new Map<string, QueuedEvent>();
  const ended = new AbortController();
  const budget = createBudget(nodeLimit);
  const budgets = new Map<string, ReturnType<typeof createBudget>>();
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (pending.size > 0 && !ended.signal.aborted) {
      const at = now().getTime();
      const next = [...pending].find(([, { due }]) => due <= at);
      if (next === undefined) {
        await sleep(Math.min(...[...pending.values()].map(({ due }) => due)) - at, ended.signal);
        continue;
      }
      const [key, entry] = next;
      const ofObject = budgetOf(entry.draft);
      const isFirstTry = entry.tries === 0;
      if (isFirstTry && ofObject.waitMs(at) > 0) {
        pending.delete(key);
        known.delete(key);
        onDropped(entry.draft, 'limited');
        continue;
      }
      const waitMs = budget.waitMs(at);
      if (waitMs > 0) {
        await sleep(waitMs, ended.signal);
        continue;
      }
      budget.take();
      if (isFirstTry) ofObject.take();
      pending.delete(key);
      await send(key, entry);
    }
  }

  async function send(key: string, entry: QueuedEvent): Promise<void> {
    const seen = { count: entry.count, first: entry.first, last: entry.last };
    const draft = { ...entry.draft, message: messageOf(entry) };
    try {
      const counted = entry.name !== undefined && (await sender.count(draft, entry.name, seen)) === 'counted';
      if (!counted) entry.name = await sender.create(draft, seen);
      entry.tries = 0;
    } catch (error) {
      await again(key, entry, error);
    }
  }

  /** The least used are forgotten first, which are full again. */
  function budgetOf({ object }: EventDraft): ReturnType<typeof createBudget> {
    const key = [object.kind, object.namespace, object.name, object.uid].join('\0');
    const found = budgets.get(key) ?? createBudget(objectLimit);
    budgets.delete(key);
    budgets.set(key, found);
    for (const [oldest] of budgets) {
      if (budgets.size <= remembered) break;
      budgets.delete(oldest);
    }
    return found;
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

  function entryOf(key: string, draft: EventDraft): QueuedEvent {
    const at = now();
    const entry = known.get(key);
    const isRecent = entry !== undefined && at.getTime() - entry.last.getTime() < forgetMs;
    known.delete(key);
    const isSame = entry?.draft.message === draft.message;
    const isWaiting = draft.isAggregated && pending.has(key);
    if (isRecent && (isSame || isWaiting)) {
      if (!isSame) entry.others.add(draft.message);
      else if (!isWaiting) entry.count += 1;
      entry.last = at;
      known.set(key, entry);
      return entry;
    }
    const due = at.getTime() + (draft.isAggregated ? aggregatedMs : 0);
    const fresh: QueuedEvent = { draft, others: new Set(), due, count: 1, first: at, last: at, tries: 0 };
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
      const { type, reason, message, object, isAggregated } = draft;
      const distinct = isAggregated ? '' : message;
      const key = [object.kind, object.namespace, object.name, object.uid, type, reason, distinct].join('\0');
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

/** Longest part of a message before the number of others, so that the sender does not cut that off. */
const longestFirst = 960;

function messageOf({ draft: { message }, others }: QueuedEvent): string {
  if (others.size === 0) return message;
  return `${message.slice(0, longestFirst)} (and ${others.size} more like it)`;
}

/** A token bucket. `waitMs`: after how long there will be a token. */
function createBudget({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) {
  let tokens = burst;
  let filledAt: number | undefined;
  return {
    waitMs(at: number): number {
      tokens = Math.min(burst, tokens + ((at - (filledAt ?? at)) / 1000) * perSecond);
      filledAt = at;
      return tokens < 1 ? Math.ceil(((1 - tokens) / perSecond) * 1000) : 0;
    },
    take(): void {
      tokens -= 1;
    },
  };
}
