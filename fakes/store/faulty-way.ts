import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { StoreFault } from './store.ts';

/** A way to an object store, of whatever kind, on which its faults can be played. */
export interface FaultyWay extends AsyncDisposable {
  readonly endpoint: string;
  /** In force at once, for connections that are open too, until disposed of. */
  trouble(fault: StoreFault): Disposable;
}

/**
 * Passes on what comes to a port of its own; the store sees the address that was asked for, so signatures stay right.
 * `address`: an IP address of this machine.
 */
export async function openFaultyWay(endpoint: string, address = '127.0.0.1'): Promise<FaultyWay> {
  const { hostname, port } = new URL(endpoint);
  const open = new Set<Socket>();
  let fault: StoreFault = { kind: 'none' };

  const server = createServer((client) => {
    if (fault.kind === 'down') return void client.destroy();
    const store = connect(Number(port), hostname);
    const ends = [client, store];
    for (const end of ends) {
      open.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        open.delete(end);
        for (const other of ends) other.destroy();
      });
    }
    client.pipe(store);
    // Chunks wait alike, so they keep their order.
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
    trouble(next) {
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
