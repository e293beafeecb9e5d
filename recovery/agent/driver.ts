import { monotonicClock as clock } from '../clock.ts';
import { createControllerService, createIdentityService } from '../csi/identity.ts';
import type { NodeService } from '../csi/node.ts';
import { serveRegistration } from '../csi/registration.ts';
import { serveCsi } from '../csi/server.ts';
import { NamespaceLost } from '../linux/namespaces.ts';
import { formatError, type Log } from '../log.ts';
import { orCannotStart } from './cannot-start.ts';
import type { AgentOptions } from './flags.ts';
import { version } from './version.ts';

export interface DriverOptions {
  readonly csi: NonNullable<AgentOptions['csi']>;
  readonly node: NodeService;
  /** What the agent waits for before it is ready. The driver adds and removes its own entries. */
  readonly waiting: Set<string>;
  readonly log: Log;
}

export interface Driver extends AsyncDisposable {
  /** Path of the CSI socket. */
  readonly socket: string;
}

const socket = 'the CSI socket';
const kubelet = 'the kubelet to register the driver';

/** Serves CSI and registers the driver if requested. Rejects with `CannotStart`. */
export async function startDriver({ csi, node, waiting, log }: DriverOptions): Promise<Driver> {
  await using parts = new AsyncDisposableStack();
  waiting.add(socket);
  const server = parts.use(
    await orCannotStart(
      () =>
        serveCsi({
          endpoint: csi.endpoint,
          clock,
          identity: createIdentityService({ version, ready: () => waiting.size === 0 }),
          node,
          controller: createControllerService(),
          onDefect(call, error) {
            log.error('defect', { call, error: formatError(error) });
            // In a wrong namespace every further call would do harm. A restart begins in the right one.
            if (error instanceof NamespaceLost)
              setImmediate(() => {
                throw error;
              });
          },
        }),
      'choose another --endpoint',
    ),
  );
  waiting.delete(socket);
  const { registration } = csi;
  if (registration !== undefined) {
    waiting.add(kubelet);
    parts.use(
      await orCannotStart(
        () =>
          serveRegistration({
            ...registration,
            onStatus(status) {
              if (status.registered) waiting.delete(kubelet);
              else log.error('not-registered', { error: status.error });
            },
          }),
        "mount the kubelet's plugins_registry at --plugin-registration-path",
      ),
    );
  }
  const kept = parts.move();
  return { socket: server.path, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
