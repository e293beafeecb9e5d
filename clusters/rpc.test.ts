import { expect, it, vi } from 'vitest';
import { connect, type Reply, type Request, serve } from './rpc.ts';

interface Procedures {
  add(a: number, b?: number): Promise<number>;
  size(bytes: Uint8Array): Promise<number>;
  fail(): Promise<never>;
  open(): Promise<
    AsyncDisposable & { readonly name: string; readonly exited: Promise<number>; double(n: number): Promise<number> }
  >;
}

function pair() {
  const dispose = vi.fn(async () => {});
  const exit = Promise.withResolvers<number>();
  const procedures: Procedures = {
    add: async (a, b = 10) => a + b,
    size: async (bytes) => bytes.byteLength,
    fail: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENO' })),
    open: async () => ({
      name: 'it',
      exited: exit.promise,
      double: async (n) => 2 * n,
      [Symbol.asyncDispose]: dispose,
    }),
  };
  let deliver = (_: Reply): void => {};
  let end = (_: string): void => {};
  const server = serve(procedures, (reply) => deliver(JSON.parse(JSON.stringify(reply)) as Reply));
  const remote = connect<Procedures, never>(
    {
      send: (request) => void server.handle(JSON.parse(JSON.stringify(request)) as Request),
      onMessage: (listener) => (deliver = listener),
      onEnd: (listener) => (end = listener),
    },
    { name: 'the node', onNews: () => {} },
  );
  return { remote, server, dispose, exit, end: (reason: string) => end(reason) };
}

it('calls procedures with optional arguments and with bytes', async () => {
  const { remote } = pair();
  expect(await remote.add(1, 2)).toBe(3);
  expect(await remote.add(1, undefined)).toBe(11);
  expect(await remote.size(Buffer.from('four'))).toBe(4);
});

it('rejects with the message and the code of the other process', async () => {
  const { remote } = pair();
  await expect(remote.fail()).rejects.toMatchObject({ message: 'no', code: 'ENO' });
});

it('keeps a disposable result in the other process, with its data, promises and methods', async () => {
  const { remote, dispose, exit } = pair();
  const object = await remote.open();
  expect(object.name).toBe('it');
  expect(await object.double(4)).toBe(8);
  exit.resolve(7);
  expect(await object.exited).toBe(7);
  expect(dispose).not.toHaveBeenCalled();
  await object[Symbol.asyncDispose]();
  expect(dispose).toHaveBeenCalledOnce();
});

it('disposes of the kept results with the server', async () => {
  const { remote, server, dispose } = pair();
  await remote.open();
  await server[Symbol.asyncDispose]();
  expect(dispose).toHaveBeenCalledOnce();
});

it('rejects all calls and promises once the channel has ended', async () => {
  const { remote, end } = pair();
  const object = await remote.open();
  end('it was closed');
  await expect(object.exited).rejects.toThrow('the node ended: it was closed');
  await expect(remote.add(1)).rejects.toThrow('the node ended: it was closed');
  await object[Symbol.asyncDispose]();
});
