import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** `down`: connections are accepted and closed. `slow`: each response is delayed. */
export type StoreFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'down' }
  | { readonly kind: 'slow'; readonly delayMs: number };

/** A TCP proxy in front of an object store that can inject faults. */
export interface FaultyProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Applies to open connections, too, until disposed of. */
  inject(fault: StoreFault): Disposable;
}

/**
 * Forwards to a store from a port of its own. It leaves requests unchanged, so the signed Host header stays that of the proxy and
 * signatures stay valid. `address`: an IP address of this machine.
 */
export async function startFaultyProxy(endpoint: string, address = '127.0.0.1'): Promise<FaultyProxy> {
  const { hostname, port } = new URL(endpoint);
  const open = new Set<Socket>();
  let fault: StoreFault = { kind: 'none' };

  const server = createServer((client) => {
    if (fault.kind === 'down') return void client.destroy();
    const store = connect(Number(port), hostname);
    const pair = [client, store];
    for (const socket of pair) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        for (const other of pair) other.destroy();
      });
    }
    client.pipe(store);
    // All chunks have the same delay, so their order does not change.
    store.on('data', (chunk) => {
      if (fault.kind === 'slow') setTimeout(() => client.writable && client.write(chunk), fault.delayMs);
      else client.write(chunk);
    });
    return undefined;
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    endpoint: `http://${address}:${(server.address() as AddressInfo).port}`,
    inject(next) {
      fault = next;
      if (next.kind === 'down') for (const socket of open) socket.destroy();
      return {
        [Symbol.dispose]: () => {
          if (fault === next) fault = { kind: 'none' };
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
