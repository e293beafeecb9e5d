import { isDeepStrictEqual } from 'node:util';
import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';
import { causeOf } from './list-watch.ts';
import { ApiError, type Transport } from './transport.ts';

export interface ReadObjectsOptions<T> {
  readonly transport: Pick<Transport, 'json'>;
  /** The path of an object by its key. */
  readonly pathOf: (key: string) => string;
  /** Extracts the relevant part of an object. Returns undefined if it is not complete yet. */
  readonly map: (object: unknown) => T | undefined;
  /** Called after an object was read for the first time, or has changed. */
  readonly onChange: () => void;
  /** Called with the error of a request. Reported once until `onRecovered`. */
  readonly onError: (error: unknown) => void;
  /** Called once no request fails any more. */
  readonly onRecovered: () => void;
  readonly clock: ClockPort;
  /** Between 0 and 1. Spreads the requests of many nodes. */
  readonly random: () => number;
}

/** Objects of one kind that are read one by one while they are wanted, and kept for a while afterwards. */
export interface ReadObjects<T> extends Disposable {
  /** What has been read, by key; undefined for an object that does not exist or is not complete yet. */
  readonly objects: ReadonlyMap<string, T | undefined>;
  /** Sets which objects are wanted. Reads those that are unknown, and again those in `renewed`; what is known stays meanwhile. */
  want(keys: ReadonlySet<string>, renewed?: ReadonlySet<string>): void;
  /** Resolves once each object that is wanted now has been read, or could not be read at the first attempt. */
  attempted(): Promise<void>;
  /** Why objects are missing or may be out of date, as part of a sentence; undefined if none is. */
  problem(): string | undefined;
}

/** Requests at a time, so that the start of a full node is no burst. */
const concurrency = 4;
/** Least time after which a wanted object is read again; at most twice that. */
const lifeMs = 20 * 60_000;
/** How long an object is kept that is not wanted any more, because pods of a Job come and go. */
const keptMs = 10 * 60_000;
/** First and longest delay until an object is read again that is missing, incomplete or could not be read. */
const retryMs = [200, 60_000] as const;
/** An object that was read within this time is not read again for another pod: many pods of one claim start at once. */
const freshMs = 1_000;
/** What is known counts as out of date once it could not be read again for this time. */
const silentMs = 60_000;

interface ReadState {
  /** Resolved after the first attempt. */
  readonly attempted: PromiseWithResolvers<void>;
  isWanted: boolean;
  isQueued: boolean;
  /** When the latest attempt began. */
  askedAt?: Nanoseconds;
  /** When reading began to fail, and the latest cause. */
  failing?: { readonly since: Nanoseconds; readonly cause: string };
  /** Attempts since the last one that found a complete object. */
  attempts: number;
  /** Reads the object again, or forgets it if it is not wanted. */
  timer?: Disposable;
}

const toNanoseconds = (ms: number) => BigInt(Math.round(ms * 1e6)) as Nanoseconds;

/** Reads objects by GET, because a watch cannot select those that the pods of a node use. A failure changes nothing that is known. */
export function readObjects<T>(options: ReadObjectsOptions<T>): ReadObjects<T> {
  const { transport, pathOf, map, onChange, onError, onRecovered, clock, random } = options;
  const objects = new Map<string, T | undefined>();
  const entries = new Map<string, ReadState>();
  const queue: string[] = [];
  const ended = new AbortController();
  let active = 0;

  function enqueue(key: string, entry: ReadState): void {
    entry.timer?.[Symbol.dispose]();
    if (entry.isQueued) return;
    entry.isQueued = true;
    queue.push(key);
    work();
  }

  function work(): void {
    while (active < concurrency) {
      const key = queue.shift();
      if (key === undefined) return;
      const entry = entries.get(key);
      if (entry === undefined) continue;
      entry.isQueued = false;
      active += 1;
      void read(key, entry).then(() => {
        active -= 1;
        if (ended.signal.aborted) return;
        entry.attempted.resolve();
        if (!entry.isQueued) schedule(key, entry);
        work();
      });
    }
  }

  async function read(key: string, entry: ReadState): Promise<void> {
    const startedAt = clock.now();
    entry.askedAt = startedAt;
    let value: T | undefined;
    try {
      value = map(await get(pathOf(key)));
    } catch (error) {
      entry.attempts += 1;
      if (ended.signal.aborted) return;
      if (!isFailing()) onError(error);
      entry.failing = { since: entry.failing?.since ?? startedAt, cause: causeOf(error) };
      return;
    }
    entry.attempts = value === undefined ? entry.attempts + 1 : 0;
    if (entry.failing !== undefined) {
      delete entry.failing;
      if (!isFailing()) onRecovered();
    }
    const isChanged = !objects.has(key) || !isDeepStrictEqual(objects.get(key), value);
    objects.set(key, value);
    if (isChanged) onChange();
  }

  async function get(path: string): Promise<unknown> {
    try {
      return await transport.json({ method: 'GET', path, signal: ended.signal });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  const isFailing = () => [...entries.values()].some(({ failing }) => failing !== undefined);

  function schedule(key: string, entry: ReadState): void {
    const [first, longest] = retryMs;
    const delayMs = entry.attempts === 0 ? lifeMs : Math.min(first * 2 ** (entry.attempts - 1), longest);
    entry.timer?.[Symbol.dispose]();
    entry.timer = entry.isWanted
      ? clock.after(toNanoseconds(delayMs * (1 + random())), () => enqueue(key, entry))
      : clock.after(toNanoseconds(keptMs), () => forget(key));
  }

  function forget(key: string): void {
    entries.delete(key);
    objects.delete(key);
    onChange();
  }

  function isStale({ askedAt }: ReadState): boolean {
    return askedAt === undefined || clock.now() - askedAt >= toNanoseconds(freshMs);
  }

  return {
    objects,
    want(keys, renewed = new Set()) {
      for (const [key, entry] of entries) {
        if (entry.isWanted && !keys.has(key)) {
          entry.isWanted = false;
          if (!entry.isQueued) schedule(key, entry);
        }
      }
      for (const key of keys) {
        const entry = entries.get(key) ?? {
          attempted: Promise.withResolvers<void>(),
          isWanted: false,
          isQueued: false,
          attempts: 0,
        };
        entries.set(key, entry);
        const isNew = !entry.isWanted;
        entry.isWanted = true;
        if ((isNew || renewed.has(key)) && isStale(entry)) {
          entry.attempts = 0;
          enqueue(key, entry);
        } else if (isNew && !entry.isQueued) {
          schedule(key, entry);
        }
      }
    },
    async attempted() {
      await Promise.all([...entries.values()].map(({ attempted }) => attempted.promise));
    },
    problem() {
      const now = clock.now();
      const failing = [...entries].flatMap(([key, { isWanted, failing: failure }]) => {
        if (!isWanted || failure === undefined) return [];
        return objects.has(key) && now - failure.since <= toNanoseconds(silentMs) ? [] : [failure];
      });
      const [oldest] = failing.sort((a, b) => Number(a.since - b.since));
      if (oldest === undefined) return undefined;
      return `${failing.length} not read for ${(now - oldest.since) / 1_000_000_000n} s (${oldest.cause})`;
    },
    [Symbol.dispose]() {
      ended.abort();
      queue.length = 0;
      for (const { timer } of entries.values()) timer?.[Symbol.dispose]();
    },
  };
}
