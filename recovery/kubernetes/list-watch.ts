import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ClockPort } from '../engine/ports.ts';
import { objectAt, textAt } from './json.ts';
import { ApiError, type Transport } from './transport.ts';

export interface ListWatchOptions<T> {
  readonly transport: Transport;
  /** Such as `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Extracts the relevant part of an object. Returns undefined if the object is irrelevant. */
  readonly map: (object: unknown) => T | undefined;
  /** Called after each list and after each change of the objects. */
  readonly onChange: () => void;
  /** Called with the error that ended a list or a watch, before it is retried. */
  readonly onError: (error: unknown) => void;
  readonly clock: Pick<ClockPort, 'now'>;
  /** Between 0 and 1. Spreads the retries of many nodes. */
  readonly random: () => number;
  /** First and longest delay between retries. */
  readonly backoffMs?: readonly [first: number, longest: number];
}

/** The objects of one kind, listed once and kept up to date by a watch. */
export interface ListWatch<T> extends AsyncDisposable {
  /** Keyed by `namespace/name`, or by `name` for cluster-scoped kinds. */
  readonly objects: ReadonlyMap<string, T>;
  /** Resolves after the first list. */
  readonly synced: Promise<void>;
}

/** Objects per page, because the list of all claims of a large cluster is too long for one response. */
const pageSize = 500;
/** The server ends a watch after this time, and it is resumed. (By itself the API server would end it after five to ten minutes.) */
const watchSeconds = 240;

/** After a watch of this duration the delay starts again from the first. */
const stableWatch = 5_000_000_000n;

/** Lists and watches until disposed of. Retries forever, with growing delays. */
export function listWatch<T>(options: ListWatchOptions<T>): ListWatch<T> {
  const objects = new Map<string, T>();
  const ended = new AbortController();
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const running = run({ ...options, objects, signal: ended.signal, listed: resolve });
  return {
    objects,
    synced,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await running;
    },
  };
}

interface Running<T> extends ListWatchOptions<T> {
  readonly objects: Map<string, T>;
  readonly signal: AbortSignal;
  readonly listed: () => void;
}

async function run<T>(running: Running<T>): Promise<void> {
  const { signal, onError, clock, random, backoffMs: [first, longest] = [100, 30_000] } = running;
  let version: string | undefined;
  let delay = first;
  while (!signal.aborted) {
    const began = clock.now();
    try {
      version ??= await list(running);
      for await (const seen of watch(running, version)) {
        version = seen;
        delay = first;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 410) version = undefined;
      else onError(error);
    }
    if (clock.now() - began > stableWatch) delay = first;
    // Half of the delay is random. A watch that ended normally is resumed after the first delay.
    await sleep(delay / 2 + (random() * delay) / 2, undefined, { signal }).catch(() => {});
    delay = Math.min(delay * 2, longest);
  }
}

async function list<T>({
  transport,
  path,
  fieldSelector,
  map,
  objects,
  onChange,
  listed,
  signal,
}: Running<T>): Promise<string> {
  const found = new Map<string, T>();
  let next: string | undefined;
  let version = '';
  do {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
    if (next !== undefined) query.set('continue', next);
    const page = await transport.json({ method: 'GET', path: `${path}?${query}`, signal });
    const items = objectAt(page).items;
    for (const item of Array.isArray(items) ? items : []) store(found, item, map(item));
    next = textAt(objectAt(page, 'metadata'), 'continue');
    version = textAt(objectAt(page, 'metadata'), 'resourceVersion') ?? version;
  } while (next !== undefined);
  objects.clear();
  for (const [key, value] of found) objects.set(key, value);
  onChange();
  listed();
  return version;
}

/** Yields the resource version of each event. */
async function* watch<T>(
  { transport, path, fieldSelector, map, objects, onChange, signal }: Running<T>,
  version: string,
): AsyncGenerator<string> {
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(watchSeconds),
  });
  if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
  const asked = { method: 'GET', path: `${path}?${query}`, signal } as const;
  const response = await transport.stream(asked);
  try {
    for await (const line of lines(response)) {
      const { type, object } = objectAt(JSON.parse(line));
      if (type === 'ERROR') {
        const status = objectAt(object).code;
        throw new ApiError(
          typeof status === 'number' ? status : 500,
          asked,
          textAt(objectAt(object), 'message') ?? 'watch',
        );
      }
      const value = type === 'ADDED' || type === 'MODIFIED' ? map(object) : undefined;
      if (type !== 'BOOKMARK' && store(objects, object, value)) onChange();
      const seen = textAt(objectAt(object, 'metadata'), 'resourceVersion');
      if (seen !== undefined) yield seen;
    }
  } finally {
    response.destroy();
  }
}

/** Returns whether the stored part has changed. Most updates of a pod only change its status, which is not stored. */
function store<T>(objects: Map<string, T>, object: unknown, value: T | undefined): boolean {
  const metadata = objectAt(object, 'metadata');
  const name = textAt(metadata, 'name');
  if (name === undefined) return false;
  const namespace = textAt(metadata, 'namespace');
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  if (value === undefined) return objects.delete(key);
  if (isDeepStrictEqual(objects.get(key), value)) return false;
  objects.set(key, value);
  return true;
}

/** Yields the lines of a body as they arrive. Rejects if the connection breaks. */
async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((line) => line !== '');
  }
}
