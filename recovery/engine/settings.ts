import type { Nanoseconds, Policy } from './model.ts';
import type { ClockPort, KernelPort, KubernetesPort, Recorder, VolumeLocks } from './ports.ts';

const milliseconds = (count: number) => BigInt(count * 1_000_000) as Nanoseconds;

export interface EngineOptions {
  readonly kernel: KernelPort;
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly locks: VolumeLocks;
  /** Asked anew by each pass: the gate may change. After a change call `pass('kubernetes')`. */
  readonly policy: () => Policy;
  /** As the node's mount table spells it; `/var/lib/kubelet` where not given. */
  readonly kubeletRoot?: string;
  /** How often to look though nothing was heard of; 5 s where not given. */
  readonly resyncPeriod?: Nanoseconds;
  /** How long a connection may hang before it is aborted; never where not given. */
  readonly abortHungAfter?: Nanoseconds;
  /** How long a daemon that has answered before may take to answer; 2 s where not given. */
  readonly readDeadline?: Nanoseconds;
  /**
   * For how long a replaced site is left to whoever waits for it, before it is proved and the mount table is looked at again: a
   * fresh daemon answers one at a time. 4 ms where not given.
   */
  readonly proofPause?: Nanoseconds;
  /** How long a daemon may take between its mount and its first answer; 60 s where not given. */
  readonly firstReadDeadline?: Nanoseconds;
}

export type EngineSettings = Omit<Required<EngineOptions>, 'abortHungAfter'> & {
  readonly abortHungAfter: Nanoseconds | undefined;
};

export function settingsOf(options: EngineOptions): EngineSettings {
  const { abortHungAfter } = options;
  return {
    kubeletRoot: '/var/lib/kubelet',
    resyncPeriod: milliseconds(5_000),
    readDeadline: milliseconds(2_000),
    firstReadDeadline: milliseconds(60_000),
    proofPause: milliseconds(4),
    ...options,
    abortHungAfter,
  };
}

/** For so long after a replacement a resync scans all processes: a container that was being made then may hold the dead mount. */
export const settleFor = milliseconds(30_000);
/** And at least this often all tables are read, in case one was missed all the same. */
export const scanPeriod = milliseconds(60_000);
/**
 * For so long after a crash nothing is said of the sites that wait, unless a resync looks at them: most daemons are back by then, and the agent's time
 * belongs to the containers that use them.
 */
export const outageHold = milliseconds(500);
/** The first quick retry; each next one waits twice as long. */
export const retryAfter = milliseconds(25);
