import { type LivenessCache, questionTo } from './liveness.ts';
import type { DeviceId, Mount, Nanoseconds, SourceState } from './model.ts';
import type { ClockPort, KernelPort } from './ports.ts';
import type { Journal } from './volume-state.ts';

/** Watches daemons for their exit, by the device of their connection. */
export interface DaemonWatches extends Disposable {
  /** Watches these daemons and no others. If one has exited and is given again, another process has its connection. */
  watchOnly(devices: ReadonlySet<DeviceId>): void;
}

export function createDaemonWatches(
  kernel: Pick<KernelPort, 'watchDaemon'>,
  onEnd: (device: DeviceId) => void,
): DaemonWatches {
  const watches = new Map<DeviceId, Disposable>();
  const exited = new Set<DeviceId>();
  const end = (device: DeviceId) => {
    watches.get(device)?.[Symbol.dispose]();
    watches.delete(device);
    exited.delete(device);
  };
  return {
    watchOnly(devices) {
      for (const device of [...watches.keys()]) if (!devices.has(device) || exited.has(device)) end(device);
      for (const device of devices) {
        if (watches.has(device)) continue;
        const watch = kernel.watchDaemon(device, (how) => {
          // A daemon that was not found once is not searched for again.
          if (how === 'exited') exited.add(device);
          onEnd(device);
        });
        watches.set(device, watch);
      }
    },
    [Symbol.dispose]() {
      for (const device of [...watches.keys()]) end(device);
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
  readonly readDeadline: Nanoseconds;
  readonly firstReadDeadline: Nanoseconds;
  readonly isStopped: () => boolean;
  /** The mount at a source path now. */
  readonly sourceMount: (path: string) => Mount | undefined;
  readonly schedule: (delay: bigint, callback: () => void) => void;
  /** A connection was aborted, so its mounts are dead. */
  readonly onAborted: (volume: string) => void;
}

type HungSource = Extract<SourceState, { state: 'hung' }>;

export interface HungConnections {
  /** The states of a volume's sources, as a pass has found them. */
  see(volume: string, states: readonly SourceState[]): void;
  daemonEnded(device: DeviceId): void;
}

/** A source mount whose connection hangs, and since when it does. */
interface HungMount {
  readonly mountId: number;
  readonly since: Nanoseconds;
}

/**
 * Aborts connections that hang for longer than the user allows, so that every call on them fails and their mounts can be replaced.
 * A connection that has never answered may belong to a daemon that is starting, and gets the time for that. As the kernel reuses numbers of
 * devices and mounts, a connection is only aborted if its daemon has not ended since, if it is still that of the same source mount, and if
 * it has not answered once more.
 */
export function createHungConnections(parts: HungConnectionParts): HungConnections {
  const { kernel, clock, liveness, journal, abortHungAfter, readDeadline, firstReadDeadline } = parts;
  const hungMounts = new Map<DeviceId, HungMount>();
  /** When the daemon of a connection that hung has ended. The next one may get the same numbers, and hangs from then on at the earliest. */
  const endedAt = new Map<DeviceId, Nanoseconds>();

  return {
    see(volume, states) {
      if (abortHungAfter === undefined) return;
      for (const state of states) {
        if (state.state === 'hung') track(volume, state, abortHungAfter);
        if (state.state === 'live' || state.state === 'dead') hungMounts.delete(state.device);
        if (state.state === 'live') endedAt.delete(state.device);
      }
    },
    daemonEnded(device) {
      if (hungMounts.delete(device)) endedAt.set(device, clock.now());
    },
  };

  function track(volume: string, source: HungSource, allowed: Nanoseconds): void {
    const { device, path } = source;
    const mount = parts.sourceMount(path);
    const known = liveness.get(device);
    if (known?.status !== 'hung' || mount?.device !== device) return;
    const question = questionTo({ kind: 'source', path }, mount);
    const before = hungMounts.get(device);
    if (before?.mountId === mount.id) return;
    const ended = endedAt.get(device);
    const first = ended !== undefined && ended > known.since ? ended : known.since;
    const hung = { mountId: mount.id, since: before === undefined ? first : clock.now() };
    hungMounts.set(device, hung);
    const timeout = liveness.hasBeenLive(device) ? readDeadline : firstReadDeadline;
    const dueAt = hung.since + (timeout > allowed ? timeout : allowed);
    const isCurrent = () =>
      !parts.isStopped() && hungMounts.get(device) === hung && parts.sourceMount(path)?.id === hung.mountId;

    // The last question is asked early enough to time out when due. The answer that led here may be old: the pass has waited for others.
    askAfter(dueAt - timeout - clock.now());

    function askAfter(delay: bigint): void {
      parts.schedule(delay > 0n ? delay : 0n, () => void askAgain());
    }

    async function askAgain(): Promise<void> {
      if (!isCurrent()) return;
      const answer = await liveness.ask(question);
      if (!isCurrent()) return;
      const { status } = answer;
      const remaining = dueAt - clock.now();
      // It has answered between two questions if it hangs only since then. The next pass counts from there.
      const hasAnswered = status === 'live' || status === 'dead' || (status === 'hung' && answer.since > hung.since);
      if (hasAnswered) hungMounts.delete(device);
      else if (status === 'unknown' || status === 'kept') askAfter(readDeadline);
      else if (remaining > 0n) askAfter(remaining);
      else abort();
    }

    function abort(): void {
      journal.aborted({ trigger: 'resync', volume, source });
      if (kernel.abort(device).ok) parts.onAborted(volume);
      // The next pass that finds it hung tries again.
      else hungMounts.delete(device);
    }
  }
}
