import type { EventOf, HistoryEvent, ProbeEvent, Recovery } from '../../src/timeline/record.ts';
import { findRecoveries } from '../../src/timeline/recoveries.ts';
import { Timeline } from '../../src/timeline/timeline.ts';
import type { BenchCrash, BenchMoment } from './record.ts';

/** A pod with a probe, and the location of its volume. */
export interface WatchedPod {
  /** As in `ProbeEvent.probe`: `<namespace>/<pod>/<container>:<path>`. */
  readonly probe: string;
  readonly uid: string;
  /** Its PersistentVolume, `<namespace>-<dataset>`. */
  readonly volume: string;
  /** Prefix of a fault's `target` if the fault hits the pod's daemon. */
  readonly daemon: string;
  /** When the probe was in the pod, in nanoseconds since the run began. Crashes before or after are ignored. */
  readonly from: number;
  readonly to?: number;
}

/** A crash without its number. `at` is in nanoseconds since the run began. */
export interface CrashSample extends Omit<BenchCrash, 'crash'> {
  readonly at: number;
}

/** A pod is steady after this number of good operations in a row, none of them later than `lateNs`. */
export const steadyCount = 10;
export const lateNs = 10e6;

/**
 * Derives the moments of each crash for each watched pod. The replacement of mounts is taken from the mount tables, whatever replaced
 * them, or from the agent's log or a good read if these are earlier: a table is read some milliseconds after it changed.
 */
export function crashSamples(
  history: readonly HistoryEvent[],
  scenario: string,
  pods: readonly WatchedPod[],
): readonly CrashSample[] {
  const daemonOf = new Map(pods.map(({ probe, daemon }) => [probe, daemon]));
  const timeline = Timeline.ofScenario(history, scenario);
  const found = findRecoveries(timeline, {
    reaches: (fault, probe) => fault.target.startsWith(daemonOf.get(probe) ?? fault.target),
  });
  const mounts = timeline.ofKind('mount').filter(({ change }) => change === 'added');
  const agentEvents = timeline.ofKind('agent');
  const restarts = timeline.ofKind('kubelet').filter(({ event }) => event === 'restart-scheduled');
  return pods.flatMap((pod) => {
    const mine = found.filter(({ probe }) => probe === pod.probe);
    const read = timeline.operations.get(pod.probe) ?? [];
    const places = mountsByMoment(pod, mounts);
    const agent = agentEvents.filter(({ volume }) => volume === pod.volume);
    const daemons = timeline.daemons.filter(({ name }) => name.startsWith(pod.daemon));
    const starts = daemons.filter(({ change }) => change === 'started');
    const exits = daemons.filter(({ change }) => change === 'exited');
    const backoffs = restarts.filter((event) => event.pod.startsWith(pod.daemon));
    const where = pod.probe.slice(0, pod.probe.indexOf(':'));
    return mine.flatMap((recovery, index) => {
      const until = mine[index + 1]?.crash ?? Number.POSITIVE_INFINITY;
      const { from, to = Number.POSITIVE_INFINITY } = pod;
      return recovery.crash >= from && recovery.crash < to
        ? [deriveSample({ recovery, until, read, places, agent, starts, exits, backoffs, where })]
        : [];
    });
  });
}

type MountMoment = 'mountVisible' | 'replacedOnNode' | 'replacedInPod';

function mountsByMoment(
  { probe, uid, volume }: WatchedPod,
  mounts: readonly EventOf<'mount'>[],
): Readonly<Record<MountMoment, EventOf<'mount'>[]>> {
  const colon = probe.indexOf(':');
  const [where, path] = [probe.slice(0, colon), probe.slice(colon + 1)];
  const fuse = mounts.filter(({ fstype }) => fstype.startsWith('fuse'));
  const onNode = fuse.filter((mount) => mount.where === 'node');
  const source = `/${volume.replace(`${where.split('/')[0]}-`, `${where.split('/')[0]}/`)}/`;
  return {
    mountVisible: onNode.filter(({ mountPoint }) => mountPoint.includes(source) && !mountPoint.includes('/pods/')),
    replacedOnNode: onNode.filter(({ mountPoint }) => mountPoint.includes(`/pods/${uid}/`)),
    replacedInPod: fuse.filter((mount) => mount.where === where && mount.mountPoint === path),
  };
}

interface CrashView {
  readonly recovery: Recovery;
  /** Time of the next crash. */
  readonly until: number;
  readonly read: readonly ProbeEvent[];
  readonly places: Readonly<Record<MountMoment, readonly EventOf<'mount'>[]>>;
  /** The agent's log lines about the pod's volume. */
  readonly agent: readonly EventOf<'agent'>[];
  /** Starts of the daemon's process. */
  readonly starts: readonly { readonly at: number }[];
  /** Ends of daemons of the dataset. */
  readonly exits: readonly { readonly at: number }[];
  readonly backoffs: readonly EventOf<'kubelet'>[];
  /** `<namespace>/<pod>/<container>`. */
  readonly where: string;
}

function deriveSample({
  recovery,
  until,
  read,
  places,
  agent,
  starts,
  exits,
  backoffs,
  where,
}: CrashView): CrashSample {
  const { crash: from, daemonReady, firstError } = recovery;
  const first = (events: readonly { readonly at: number }[]) => events.find(({ at }) => at >= from && at < until)?.at;
  const says = (event: EventOf<'agent'>['event'], of?: string) =>
    first(agent.filter((one) => one.event === event && one.where === of));
  const after = read.filter(({ finishedAt }) => finishedAt >= from && finishedAt < until);
  const hasFailed = Object.keys(recovery.errors).length > 0;
  const { readable = recovery.readable, steady } = findComeback(
    after,
    // After a takeover no operation has failed, but those that waited, which a hang is, were answered by the new daemon.
    (hasFailed ? firstError : undefined) ?? first(places.replacedInPod) ?? daemonReady ?? Number.POSITIVE_INFINITY,
  );
  const visible = places.mountVisible.find(({ at }) => at >= from && at < until)?.at;
  const seen: Partial<Record<BenchMoment, number | undefined>> = {
    firstError,
    connectionEnded: earliest(firstError, first(exits)),
    noticed: recovery.noticed,
    daemonStarted: starts.findLast(({ at }) => at >= from && at <= (daemonReady ?? from))?.at,
    daemonReady,
    mountVisible: visible,
    replacedOnNode: earliest(first(places.replacedOnNode), says('replaced', 'node')),
    replacedInPod: earliest(first(places.replacedInPod), says('replaced', where), readable),
    readable,
    steady,
    verified: says('recovered', where) ?? recovery.verified,
  };
  const backoffNs = backoffs.find(({ at }) => at >= from && at < until)?.delayNs;
  const outage = after.filter(({ at }) => at < (steady ?? until));
  return {
    at: from,
    pod: recovery.pod,
    moments: sinceCrash(seen, from),
    errors: recovery.errors,
    late: outage.filter(({ at, finishedAt }) => finishedAt - at > lateNs).length,
    longestStallNs: hasFailed
      ? recovery.longestStallNs
      : outage.reduce((most, { at, finishedAt }) => Math.max(most, finishedAt - at), 0),
    ...(backoffNs !== undefined && { backoffNs }),
  };
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

function sinceCrash(
  seen: Readonly<Partial<Record<BenchMoment, number | undefined>>>,
  crash: number,
): BenchCrash['moments'] {
  return Object.fromEntries(
    Object.entries(seen).flatMap(([moment, at]) => (at === undefined ? [] : [[moment, at - crash]])),
  );
}

/**
 * When the pod was steady, which is the end of ten good operations in a row, none of them late; and the first good read after the last
 * failure before that. Later stalls are due to the machine or the next crash.
 */
function findComeback(
  operations: readonly ProbeEvent[],
  firstError: number,
): { readonly readable?: number; readonly steady?: number } {
  let readable: number | undefined;
  let good = 0;
  for (const { at, startedAt, finishedAt, op, result } of operations) {
    if (result !== 'ok') {
      readable = undefined;
      good = 0;
    }
    // An operation without a duration was blocked by another one and proves nothing.
    if (result !== 'ok' || finishedAt < firstError || startedAt === finishedAt) continue;
    if (op === 'read') readable ??= finishedAt;
    if (readable === undefined) continue;
    good = finishedAt - at <= lateNs ? good + 1 : 0;
    if (good === steadyCount) return { readable, steady: finishedAt };
  }
  return {};
}
