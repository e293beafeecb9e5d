import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';
import { objectAt, textAt } from './json.ts';
import { ApiError, ApiTimeout, type Transport } from './transport.ts';

export interface ListWatchOptions<T> {
  readonly transport: Transport;
  /** Such as `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Objects per page: 500, or fewer if they are large. */
  readonly pageSize?: number;
  /** Whether objects arrive without all that is not metadata. */
  readonly metadataOnly?: boolean;
  /** Extracts the relevant part of an object. Returns undefined if the object is irrelevant. */
  readonly map: (object: unknown) => T | undefined;
  /** Called after each list and after each change of the objects. */
  readonly onChange: () => void;
  /** Called with the error that ended a list or a watch. Each cause is reported once until `onRecovered`. */
  readonly onError: (error: unknown) => void;
  /** Called once the watch works again after errors. */
  readonly onRecovered: () => void;
  readonly clock: ClockPort;
  /** Between 0 and 1. Spreads the requests of many nodes. */
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
  /** Why the objects are missing or may be out of date, as part of a sentence; undefined if they are not. */
  problem(): string | undefined;
}

/** For this long after its last answer an API server may fail without the objects being called out of date. */
const silentAfter = 60_000_000_000n;

/** Objects per page, because the list of all volumes of a large cluster is too long for one response, and for one turn of the event loop. */
const usualPageSize = 500;

/** The server is asked to end a watch after 5 to 10 minutes, as in client-go. The watch is then resumed. */
const shortestWatchSeconds = 300;
/** The client ends a watch that the server has not ended by then. */
const graceSeconds = 30;
/** A watch of this duration works, and the delay starts again from the first. */
const stableSeconds = 5;

/** The client ended a watch because the server did not: the connection is probably dead. */
class WatchOverdue extends Error {
  readonly code = 'WATCH_OVERDUE';
}

/** Lists and watches until disposed of. Retries forever, with growing delays. */
export function listWatch<T>(options: ListWatchOptions<T>): ListWatch<T> {
  const objects = new Map<string, T>();
  const ended = new AbortController();
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const { clock } = options;
  const startedAt = clock.now();
  let answeredAt: Nanoseconds | undefined;
  /** The cause of the latest error since then. */
  let cause: string | undefined;
  const running = run({
    ...options,
    objects,
    signal: ended.signal,
    listed: resolve,
    works() {
      answeredAt = clock.now();
      cause = undefined;
    },
    failed(because) {
      cause = because;
    },
  });
  return {
    objects,
    synced,
    problem() {
      const silent = clock.now() - (answeredAt ?? startedAt);
      const details = `${silent / 1_000_000_000n} s${cause === undefined ? '' : ` (${cause})`}`;
      if (answeredAt === undefined) return `not listed for ${details}`;
      return cause !== undefined && silent > silentAfter ? `silent for ${details}` : undefined;
    },
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
  /** Called after a list, and when a watch is seen to work. */
  readonly works: () => void;
  /** Called with the cause of an error that ended a list or a watch. */
  readonly failed: (cause: string) => void;
}

async function run<T>(running: Running<T>): Promise<void> {
  const { signal, onError, onRecovered, clock, random, backoffMs: [first, longest] = [100, 30_000] } = running;
  const reported = new Set<string>();
  let version: string | undefined;
  let expired = false;
  let delay = first;
  while (!signal.aborted) {
    let isStable = false;
    let isAnswered = false;
    // After an overdue watch, another one that is merely open proves nothing.
    const assess = () => {
      if (!isStable || !(isAnswered || !reported.has('WATCH_OVERDUE'))) return;
      delay = first;
      expired = false;
      running.works();
      if (reported.size > 0) onRecovered();
      reported.clear();
    };
    const answered = () => {
      isAnswered = true;
      assess();
    };
    const stable = () => {
      isStable = true;
      assess();
    };
    try {
      version ??= await list(running);
      for await (const seen of watch(running, version, stable)) {
        version = seen;
        answered();
      }
      answered();
    } catch (error) {
      if (signal.aborted) return;
      if (needsList(error)) version = undefined;
      const cause = causeOf(error);
      // That a version has expired is normal after a pause, unless a new version has expired, too.
      const isNormal = cause === '410' && !expired;
      if (isNormal) expired = true;
      else running.failed(cause);
      if (!isNormal && !reported.has(cause)) {
        reported.add(cause);
        onError(error);
      }
    }
    // Half of the delay is random. A watch that ended normally is resumed after the first delay.
    await pause(clock, delay / 2 + (random() * delay) / 2, signal);
    delay = Math.min(delay * 2, longest);
  }
}

/** Statuses that do not depend on the version of a watch. A list would fail, too, or burden an overloaded server. */
const temporary = [401, 403, 408, 429, 502, 503];

/** Whether a watch cannot be resumed from its version. After a connection error it can. */
function needsList(error: unknown): boolean {
  if (error instanceof ApiError) return !temporary.includes(error.status);
  return error instanceof ApiTimeout || error instanceof WatchOverdue || error instanceof SyntaxError;
}

/** Identifies the cause of an error. Messages also contain versions and change with each attempt. */
export function causeOf(error: unknown): string {
  if (error instanceof ApiError) return String(error.status);
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.name;
}

function pause(clock: ClockPort, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => {
    timer[Symbol.dispose]();
    signal.removeEventListener('abort', end);
    resolve();
  };
  const timer = clock.after(BigInt(Math.round(ms * 1e6)) as Nanoseconds, end);
  if (signal.aborted) end();
  else signal.addEventListener('abort', end);
  return promise;
}

/** Kubernetes API concepts, "Alternate representations". */
export const partial = (kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList') => ({
  accept: `application/json;as=${kind};g=meta.k8s.io;v=v1`,
});

async function list<T>({
  transport,
  path,
  fieldSelector,
  pageSize = usualPageSize,
  metadataOnly = false,
  map,
  objects,
  onChange,
  listed,
  works,
  signal,
}: Running<T>): Promise<string> {
  const found = new Map<string, T>();
  let next: string | undefined;
  let version = '';
  do {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
    if (next !== undefined) query.set('continue', next);
    const accept = metadataOnly ? partial('PartialObjectMetadataList') : {};
    const page = await transport.json({ method: 'GET', path: `${path}?${query}`, ...accept, signal });
    const items = objectAt(page).items;
    for (const item of Array.isArray(items) ? items : []) store(found, item, map(item));
    next = textAt(objectAt(page, 'metadata'), 'continue');
    version = textAt(objectAt(page, 'metadata'), 'resourceVersion') ?? version;
  } while (next !== undefined);
  objects.clear();
  for (const [key, value] of found) objects.set(key, value);
  onChange();
  listed();
  works();
  return version;
}

/** Yields the resource version of each event. Calls `onStable` after the watch has been open for some time. */
async function* watch<T>(
  { transport, path, fieldSelector, metadataOnly = false, map, objects, onChange, clock, random, signal }: Running<T>,
  version: string,
  onStable: () => void,
): AsyncGenerator<string> {
  const askedSeconds = Math.round(shortestWatchSeconds * (1 + random()));
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(askedSeconds),
  });
  if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
  const accept = metadataOnly ? partial('PartialObjectMetadata') : {};
  const asked = { method: 'GET', path: `${path}?${query}`, ...accept, signal } as const;
  const response = await transport.stream(asked);
  const limit = askedSeconds + graceSeconds;
  using timers = new DisposableStack();
  timers.use(clock.after(toNanoseconds(stableSeconds), onStable));
  timers.use(
    clock.after(toNanoseconds(limit), () => {
      const message = `the watch did not end within ${limit} s, although it asked for ${askedSeconds} s`;
      response.destroy(new WatchOverdue(`GET ${path}: ${message}`));
    }),
  );
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

const toNanoseconds = (seconds: number) => (BigInt(seconds) * 1_000_000_000n) as Nanoseconds;

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
  if (rest !== '') yield rest;
}
