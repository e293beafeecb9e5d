import type { ChildProcess } from 'node:child_process';
import type { Message, ProcedureName, Procedures, Reply } from './protocol.ts';

export interface RemoteNode {
  call<Name extends ProcedureName>(
    procedure: Name,
    argument: Parameters<Procedures[Name]>[0],
  ): ReturnType<Procedures[Name]>;
}

/** The supervisor's procedures, called over the channel to its process; all fail once that process has ended. */
export function connect(child: ChildProcess, onMessage: (message: Exclude<Message, Reply>) => void): RemoteNode {
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  let over: Error | undefined;
  child.on('message', (message: Message) => {
    if (!('id' in message)) return onMessage(message);
    const call = pending.get(message.id);
    pending.delete(message.id);
    if ('error' in message) call?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
    else call?.resolve(message.value);
  });
  const end = (why: string): void => {
    over = new Error(`the sandbox ended: ${why}`);
    for (const { reject } of pending.values()) reject(over);
    pending.clear();
  };
  child.on('error', ({ message }) => end(message));
  child.on('exit', (status, signal) => end(signal ?? `exit status ${status}`));
  return {
    call: ((procedure, argument) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      if (over) reject(over);
      else {
        const id = ++lastId;
        pending.set(id, { promise, resolve, reject });
        child.send({ id, procedure, argument });
      }
      return promise;
    }) as RemoteNode['call'],
  };
}
