import { lstatSync, mkdirSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { type CsiClient, createCsiClient } from '../../recovery/csi/client.ts';
import { registrationService } from '../../recovery/csi/registration.ts';

/** The CSI drivers of a node, which register through sockets in the kubelet's `plugins_registry`. */
export interface PluginRegistry extends Disposable {
  /** @throws with the kubelet's message if the driver has not registered */
  driver(name: string): CsiClient;
  /** Resolves once the driver has registered, or on abort. */
  registered(name: string, signal: AbortSignal): Promise<void>;
  /** Forgets all drivers and finds their sockets again, as a kubelet does when it starts. */
  restart(): void;
}

/** Delay before the next attempt to register a driver, in milliseconds (`pkg/kubelet/pluginmanager`, loopSleepDuration). */
const retryMs = 1000;

/** What a plugin answers to GetInfo. */
interface PluginInfo {
  readonly type: string;
  readonly name: string;
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}

/**
 * Watches the directory and registers each plugin as the kubelet does: GetInfo, NodeGetInfo of the driver, and
 * NotifyRegistrationStatus. A driver whose socket disappears is unknown from then on.
 */
export function watchPlugins(directory: string): PluginRegistry {
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  /** Sockets by path, with their inode: a plugin that starts again creates another. */
  let sockets = new Map<string, number>();
  const drivers = new Map<string, { readonly socket: string; readonly client: CsiClient }>();
  const clients = new Map<string, CsiClient>();
  const waiting = new Set<() => void>();
  const stopped = new AbortController();

  const reconcile = (): void => {
    const before = sockets;
    sockets = socketsIn(directory);
    for (const [name, { socket }] of drivers) if (!sockets.has(socket)) drivers.delete(name);
    for (const [socket, inode] of sockets) if (before.get(socket) !== inode) void register(socket, inode);
  };
  const register = async (socket: string, inode: number): Promise<void> => {
    using plugin = registrationClient(socket);
    try {
      const { name, endpoint } = checkPlugin(await plugin.getInfo());
      const client = clients.get(endpoint) ?? createCsiClient(`unix://${endpoint}`);
      clients.set(endpoint, client);
      await client.nodeGetInfo({});
      if (sockets.get(socket) !== inode) return;
      drivers.set(name, { socket, client });
      await plugin.notify({ pluginRegistered: true });
      for (const notice of waiting) notice();
    } catch (error) {
      await plugin.notify({ pluginRegistered: false, error: String(error) }).catch(() => {}); // It has ended.
      setTimeout(() => {
        if (!stopped.signal.aborted && sockets.get(socket) === inode) void register(socket, inode);
      }, retryMs).unref();
    }
  };
  watch(directory, { signal: stopped.signal, persistent: false }, reconcile);
  reconcile();
  return {
    driver(name) {
      const found = drivers.get(name);
      if (!found) throw new Error(`driver name ${name} not found in the list of registered CSI drivers`);
      return found.client;
    },
    async registered(name, signal) {
      while (!drivers.has(name) && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
        await promise;
        waiting.delete(resolve);
      }
    },
    restart() {
      drivers.clear();
      sockets = new Map();
      reconcile();
    },
    [Symbol.dispose]() {
      stopped.abort();
      for (const client of clients.values()) client[Symbol.dispose]();
    },
  };
}

function socketsIn(directory: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isSocket()) found.set(path, status.ino);
  }
  return found;
}

/** @throws if the kubelet would refuse the plugin */
function checkPlugin(info: PluginInfo): PluginInfo {
  if (info.type !== 'CSIPlugin') throw new Error(`no handler registered for plugin type: ${info.type}`);
  if (!info.supportedVersions.some((version) => /^v?1\./.test(version)))
    throw new Error(`CSI driver ${info.name} supports none of the versions that this kubelet does`);
  return info;
}

function registrationClient(socket: string) {
  const Registration = makeClientConstructor(registrationService(), 'Registration');
  const client = new Registration(`unix://${socket}`, credentials.createInsecure());
  const call = <Request, Response>(name: string) =>
    promisify(
      client[name]?.bind(client) as (request: Request, done: (error: Error | null, r: Response) => void) => void,
    );
  const getInfo = call<object, PluginInfo>('GetInfo');
  return {
    getInfo: () => getInfo({}),
    notify: call<{ readonly pluginRegistered: boolean; readonly error?: string }, object>('NotifyRegistrationStatus'),
    [Symbol.dispose]: () => client.close(),
  };
}
