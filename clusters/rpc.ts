/**
 * Remote procedure calls over messages that are JSON. A procedure is an asynchronous method, called by its name. If its result is
 * AsyncDisposable, the result stays in the serving process: the caller gets an object with the same data, promises and methods,
 * and disposing of that disposes of the original.
 */

export interface Request {
  /** Increases from request to request. */
  readonly id: number;
  readonly procedure: string;
  readonly args: readonly unknown[];
}

/** What a caller has to know of a result that stays in the serving process, besides its data. */
interface Handle {
  readonly promises: readonly string[];
  readonly methods: readonly string[];
}

interface RemoteError {
  readonly message: string;
  readonly code?: string;
}

export type Reply =
  | { readonly reply: number; readonly value: unknown; readonly handle?: Handle }
  | { readonly reply: number; readonly error: RemoteError }
  /** A promise of the result of an earlier request has settled. */
  | { readonly settled: number; readonly promise: string; readonly value?: unknown; readonly error?: RemoteError };

const disposeProcedure = '$dispose';
const invokeProcedure = '$invoke';

/** Transports whole messages to and from another process. */
export interface Channel<News> {
  send(request: Request): void;
  onMessage(listener: (message: Reply | News) => void): void;
  /** Called once, with the reason, when no more messages will arrive. */
  onEnd(listener: (reason: string) => void): void;
}

export interface ConnectOptions<News> {
  /** Names the other process in errors. */
  readonly name: string;
  /** Receives the messages that are no replies. */
  readonly onNews: (news: News) => void;
}

/** The procedures of another process. All calls reject once the channel has ended. */
export function connect<Procedures extends object, News extends object>(
  channel: Channel<News>,
  { name, onNews }: ConnectOptions<News>,
): Procedures {
  const pending = new Map<number | string, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  let ended: Error | undefined;
  const expectReply = (key: number | string): Promise<unknown> => {
    const deferred = Promise.withResolvers<unknown>();
    if (ended) deferred.reject(ended);
    else pending.set(key, deferred);
    return deferred.promise;
  };
  const call = (procedure: string, args: readonly unknown[]): Promise<unknown> => {
    const id = ++lastId;
    const result = expectReply(id);
    if (!ended) channel.send({ id, procedure, args: encode(args) });
    return result;
  };
  const settle = (key: number | string, outcome: { readonly value?: unknown; readonly error?: RemoteError }): void => {
    const deferred = pending.get(key);
    pending.delete(key);
    if (outcome.error) deferred?.reject(Object.assign(new Error(outcome.error.message), { code: outcome.error.code }));
    else deferred?.resolve(outcome.value);
  };
  const remoteObject = (id: number, value: unknown, { promises, methods }: Handle): AsyncDisposable => {
    const awaited = promises.map((promise) => [promise, expectReply(`${id}.${promise}`)] as const);
    for (const [, promise] of awaited) promise.catch(() => {}); // Reported to callers that await it.
    return {
      ...(value as object),
      ...Object.fromEntries(awaited),
      ...Object.fromEntries(
        methods.map((method) => [method, (...args: unknown[]) => call(invokeProcedure, [id, method, ...args])]),
      ),
      [Symbol.asyncDispose]: () =>
        call(disposeProcedure, [id]).then(
          () => {},
          () => {}, // The other process has ended, and everything in it.
        ),
    };
  };
  channel.onMessage((message) => {
    if ('settled' in message) settle(`${message.settled}.${message.promise}`, message);
    else if (!('reply' in message)) onNews(message);
    else if ('error' in message || !message.handle) settle(message.reply, message);
    else settle(message.reply, { value: remoteObject(message.reply, message.value, message.handle) });
  });
  channel.onEnd((reason) => {
    ended ??= new Error(`${name} ended: ${reason}`);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  });
  return new Proxy({} as Procedures, {
    get: (_, procedure) =>
      // A promise that resolves with the proxy looks for `then`.
      typeof procedure === 'symbol' || procedure === 'then' ? undefined : (...args: unknown[]) => call(procedure, args),
  });
}

export interface Server extends AsyncDisposable {
  /** Performs a request, unless it has arrived before. Its reply and what follows go to `send`. */
  handle(request: Request): Promise<void>;
}

/** Serves the methods of an object. Disposing of the server disposes of all results that are kept, the newest first. */
export function serve(procedures: object, send: (reply: Reply) => void): Server {
  const kept = new Map<number, AsyncDisposable>();
  let lastId = 0;
  const dispose = async (id: number): Promise<void> => {
    const object = kept.get(id);
    kept.delete(id);
    await object?.[Symbol.asyncDispose]();
  };
  const perform = async (procedure: string, args: readonly unknown[]): Promise<unknown> => {
    const [id, method, ...rest] = args;
    if (procedure === disposeProcedure) return dispose(Number(id));
    if (procedure === invokeProcedure) return invoke(kept.get(Number(id)) ?? {}, String(method), rest);
    return invoke(procedures, procedure, args);
  };
  const keep = (id: number, object: AsyncDisposable): Reply => {
    kept.set(id, object);
    const entries = Object.entries(object);
    const promises = entries.filter(([, value]) => value instanceof Promise);
    const methods = entries.filter(([, value]) => typeof value === 'function');
    for (const [promise, value] of promises)
      value.then(
        (value: unknown) => send({ settled: id, promise, value }),
        (error: unknown) => send({ settled: id, promise, error: toRemoteError(error) }),
      );
    const data = entries.filter((entry) => !promises.includes(entry) && !methods.includes(entry));
    const handle = { promises: promises.map(([name]) => name), methods: methods.map(([name]) => name) };
    return { reply: id, value: Object.fromEntries(data), handle };
  };
  return {
    async handle({ id, procedure, args }) {
      if (id <= lastId) return;
      lastId = id;
      try {
        const value = await perform(procedure, decode(args));
        // In this order, because a promise of the result may have settled already.
        send(isDisposable(value) ? keep(id, value) : { reply: id, value });
      } catch (error) {
        send({ reply: id, error: toRemoteError(error) });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const id of [...kept.keys()].toReversed()) await dispose(id);
    },
  };
}

function invoke(object: object, method: string, args: readonly unknown[]): unknown {
  const work = (object as Readonly<Record<string, unknown>>)[method];
  if (typeof work !== 'function') throw new Error(`there is no procedure ${method}`);
  return work.apply(object, args);
}

function isDisposable(value: unknown): value is AsyncDisposable {
  return typeof value === 'object' && value !== null && Symbol.asyncDispose in value;
}

function toRemoteError(error: unknown): RemoteError {
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return { message, ...(typeof code === 'string' && { code }) };
}

/** JSON has neither bytes nor absent elements of an array. */
function encode(args: readonly unknown[]): readonly unknown[] {
  const count = args.findLastIndex((arg) => arg !== undefined) + 1;
  return args
    .slice(0, count)
    .map((arg) => (arg instanceof Uint8Array ? { base64: Buffer.from(arg).toString('base64') } : arg));
}

function decode(args: readonly unknown[]): readonly unknown[] {
  return args.map((arg) =>
    typeof arg === 'object' && arg !== null && 'base64' in arg ? Buffer.from(String(arg.base64), 'base64') : arg,
  );
}
