import type { DeviceId } from './model.ts';
import type { KernelPort } from './ports.ts';

/** The daemons whose end is waited for, by their connection's device. */
export interface DaemonWatches extends Disposable {
  /** Watches these and no others; one that has exited is not watched again under the same device. */
  only(devices: ReadonlySet<DeviceId>): void;
}

export function createDaemonWatches(
  kernel: Pick<KernelPort, 'watchDaemon'>,
  exited: (device: DeviceId) => void,
): DaemonWatches {
  const watches = new Map<DeviceId, Disposable>();
  return {
    only(devices) {
      for (const [device, watch] of watches) {
        if (devices.has(device)) continue;
        watches.delete(device);
        watch[Symbol.dispose]();
      }
      for (const device of devices) {
        if (!watches.has(device))
          watches.set(
            device,
            kernel.watchDaemon(device, () => exited(device)),
          );
      }
    },
    [Symbol.dispose]() {
      for (const watch of watches.values()) watch[Symbol.dispose]();
      watches.clear();
    },
  };
}
