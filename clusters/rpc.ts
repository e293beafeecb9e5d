/** Procedures of another process, by name; each takes one argument, which has to be JSON, and so has the result. */
type Procedure = (argument: never) => Promise<unknown>;

/** What calls look like on the way. */
export interface Request {
  readonly id: number;
  readonly procedure: string;
  readonly argument: unknown;
}

/** `reply`: the request's number. What comes unasked has no such field. */
export type Reply =
  | { readonly reply: number; readonly value: unknown }
  | { readonly reply: number; readonly error: { readonly message: string; readonly code?: string } };

/** A way to a process on which whole messages go and come. */
export interface Channel<News> {
  send(request: Request): void;
  onMessage(take: (message: Reply | News) => void): void;
  /** Why nothing comes any more. */
  onEnd(take: (why: string) => void): void;
}

export interface Remote<Procedures> {
  call<Name extends keyof Procedures>(
    procedure: Name,
    argument: Procedures[Name] extends (argument: infer Argument) => unknown ? Argument : never,
  ): Procedures[Name] extends Procedure ? ReturnType<Procedures[Name]> : never;
}

/** Calls procedures over a channel; all fail once it has ended. `onNews` takes what is no reply. */
export function connect<Procedures, News extends object>(
  channel: Channel<News>,
  { name, onNews }: { readonly name: string; readonly onNews: (news: News) => void },
): Remote<Procedures> {
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  let over: Error | undefined;
  channel.onMessage((message) => {
    if (!('reply' in message)) return onNews(message);
    const call = pending.get(message.reply);
    pending.delete(message.reply);
    if ('error' in message) call?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
    else call?.resolve(message.value);
  });
  channel.onEnd((why) => {
    over ??= new Error(`${name} ended: ${why}`);
    for (const { reject } of pending.values()) reject(over);
    pending.clear();
  });
  const call = (procedure: keyof Procedures, argument: unknown): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (over) reject(over);
    else {
      const id = ++lastId;
      pending.set(id, { promise, resolve, reject });
      channel.send({ id, procedure: String(procedure), argument });
    }
    return promise;
  };
  return { call: call as Remote<Procedures>['call'] };
}

/** Does what a request asks for; what goes wrong is a reply too. */
export async function reply({ id, procedure, argument }: Request, procedures: object): Promise<Reply> {
  try {
    const work = (procedures as Record<string, unknown>)[procedure];
    if (typeof work !== 'function') throw new Error(`there is no procedure ${procedure}`);
    return { reply: id, value: await work.call(procedures, argument) };
  } catch (error) {
    const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
    return { reply: id, error: { message, ...(typeof code === 'string' && { code }) } };
  }
}
