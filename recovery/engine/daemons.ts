import type { Journal } from './journal.ts';
import type { LivenessCache } from './liveness.ts';
import type { DeviceId, Nanoseconds, SourceState } from './model.ts';
import type { ClockPort, KernelPort } from './ports.ts';

/** Watches daemons for their exit, by the device of their connection. */
export interface DaemonWatches extends Disposable {
  /** Watches these daemons and no others. One that has exited is not watched again under the same device. */
  watchOnly(devices: ReadonlySet<DeviceId>): void;
}

export function createDaemonWatches(
  kernel: Pick<KernelPort, 'watchDaemon'>,
  onExit: (device: DeviceId) => void,
): DaemonWatches {
  const watches = new Map<DeviceId, Disposable>();
  return {
    watchOnly(devices) {
      for (const [device, watch] of watches) {
        if (devices.has(device)) continue;
        watches.delete(device);
        watch[Symbol.dispose]();
      }
      for (const device of devices) {
        if (watches.has(device)) continue;
        watches.set(
          device,
          kernel.watchDaemon(device, () => onExit(device)),
        );
      }
    },
    [Symbol.dispose]() {
      for (const watch of watches.values()) watch[Symbol.dispose]();
      watches.clear();
    },
  };
}

export interface HungConnectionParts {
  readonly kernel: Pick<KernelPort, 'abort'>;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly liveness: LivenessCache;
  readonly journal: Journal;
  /** Undefined: connections are never aborted. */
  readonly abortHungAfter: Nanoseconds | undefined;
  readonly firstReadDeadline: Nanoseconds;
  readonly schedule: (delay: bigint, callback: () => void) => void;
  /** A connection was aborted, so its mounts are dead. */
  readonly onAborted: (volume: string) => void;
}

/**
 * Aborts connections that hang for longer than the user allows, so that every call on them fails and their mounts can be replaced.
 * A connection that has never answered may belong to a daemon that is starting, and gets the time for that.
 */
export function createHungConnections(
  parts: HungConnectionParts,
): (volume: string, states: readonly SourceState[]) => void {
  const { kernel, clock, liveness, journal, abortHungAfter, firstReadDeadline } = parts;
  const scheduled = new Set<DeviceId>();

  return (volume, states) => {
    if (abortHungAfter === undefined) return;
    for (const state of states) if (state.state === 'hung') abortWhenDue(volume, state, abortHungAfter);
  };

  function abortWhenDue(volume: string, state: Extract<SourceState, { state: 'hung' }>, allowed: Nanoseconds): void {
    const { device } = state;
    const known = liveness.get(device);
    if (known?.status !== 'hung') return;
    const isStarting = !liveness.hasBeenLive(device) && firstReadDeadline > allowed;
    const remaining = known.since + (isStarting ? firstReadDeadline : allowed) - clock.now();
    if (remaining <= 0n) {
      journal.aborted({ trigger: 'resync', volume, source: state });
      if (kernel.abort(device).ok) parts.onAborted(volume);
    } else if (!scheduled.has(device)) {
      scheduled.add(device);
      parts.schedule(remaining, () => {
        scheduled.delete(device);
        abortWhenDue(volume, state, allowed);
      });
    }
  }
}
