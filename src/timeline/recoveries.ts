import { z } from 'zod';
import { parseProbeName } from './consumer.ts';
import { type Crash, neverReturned, observe, readyTimesAfter } from './crashes.ts';
import type { EventOf, Immutable, ProbeEvent } from './record.ts';
import { claimsSuccess } from './success-claims.ts';
import type { Timeline } from './timeline.ts';

const ns = z.number();

/** One crash and what came of it, by phase; a phase that did not happen is absent. */
export const recovery = z.object({
  fault: z.string(),
  volume: z.string(),
  /** `<namespace>/<pod>`. */
  pod: z.string(),
  /** The probe that observed it, as in `probe` of probe events. */
  probe: z.string().exactOptional(),
  crash: ns,
  firstError: ns.exactOptional(),
  noticed: ns.exactOptional(),
  daemonReady: ns.exactOptional(),
  replacedOnNode: ns.exactOptional(),
  replacedInPod: ns.exactOptional(),
  verified: ns.exactOptional(),
  readable: ns.exactOptional(),
  /** Failed probe operations by errno; `HANG` counts those that never returned. */
  errors: z.record(z.string(), z.number()),
  longestStallNs: ns,
  /** Probe operations a second: the resolution of `firstError` and `readable`. */
  probeRate: z.number(),
});
export type Recovery = Immutable<z.infer<typeof recovery>>;

export interface RecoveryOptions {
  /** Whether a fault can reach a probe, for runs that crash several datasets at once. By default every fault reaches all. */
  readonly reaches?: (fault: Crash['fault'], probe: string) => boolean;
}

/**
 * What came of each crash for each probe of a scenario: the phases from the crash to the first good read in the pod.
 *
 * A crash's window lasts until the next crash, and what fails in it is charged to it. A crash that was overtaken by the next
 * one before the pod could read has no `readable`. A fault that neither ended a daemon nor disturbed the probe is no crash.
 * `errors` is empty and `firstError` absent if the probe did not see the crash at all.
 */
export function findRecoveries(timeline: Timeline, { reaches }: RecoveryOptions = {}): Recovery[] {
  const probes = new Set([...timeline.operations.keys(), ...timeline.ofKind('hang').map(({ probe }) => probe)]);
  return [...probes]
    .flatMap((probe) => {
      const { operations, crashes } =
        reaches === undefined
          ? timeline.observeProbe(probe)
          : observe(
              timeline,
              probe,
              timeline.injections.filter((fault) => reaches(fault, probe)),
            );
      const site = parseProbeName(probe);
      const volume = findVolume(site, timeline.ofKind('agent'));
      const probeRate = measureRate(operations);
      return crashes
        .filter((crash) => disturbs(crash, volume, timeline))
        .map((crash): Recovery => {
          const { readable, ...seen } = summarize(crash, operations);
          return {
            fault: crash.fault.fault,
            volume: volume ?? 'unknown',
            pod: site.pod,
            probe,
            crash: crash.from,
            ...seen,
            ...findMilestones({ timeline, crash, readable, volume, site }),
            ...(readable === undefined ? {} : { readable }),
            probeRate,
          };
        });
    })
    .sort((a, b) => a.crash - b.crash);
}

type ProbeSite = ReturnType<typeof parseProbeName>;

/** The volume that the agent names for the probe's container; otherwise the only one that it names at all. */
function findVolume({ container, path }: ProbeSite, agent: readonly EventOf<'agent'>[]): string | undefined {
  const ofContainer = agent.filter((event) => event.volume !== undefined && event.where === container);
  const exact = ofContainer.find((event) => event.path === path) ?? ofContainer[0];
  if (exact) return exact.volume;
  const named = new Set(agent.flatMap((event) => event.volume ?? []));
  return named.size === 1 ? [...named][0] : undefined;
}

/** Whether a crash concerns the probe's volume: not if the probe saw nothing and the agent noticed other volumes only. */
function disturbs(crash: Crash, volume: string | undefined, timeline: Timeline): boolean {
  if (crash.failures.length > 0 || crash.hangs.length > 0 || volume === undefined) return true;
  const noticed = within(crash, timeline.ofKind('agent')).filter(
    (event) => event.event === 'noticed' && event.volume !== undefined,
  );
  return noticed.length === 0 || noticed.some((event) => event.volume === volume);
}

function within<T extends { readonly at: number }>(crash: Crash, events: readonly T[]): T[] {
  return events.filter((event) => event.at >= crash.from && event.at < crash.to);
}

function summarize(crash: Crash, operations: readonly ProbeEvent[]) {
  const errors: Record<string, number> = {};
  for (const { result } of crash.failures) errors[result] = (errors[result] ?? 0) + 1;
  const lost = crash.hangs.filter((hang) => hang.until === undefined).length;
  if (lost > 0) errors.HANG = lost;

  const onsets = [
    ...crash.failures.map((failure) => failure.finishedAt),
    ...crash.hangs.map((hang) => Math.max(hang.since, crash.from)),
  ];
  const firstError = onsets.length > 0 ? onsets.reduce((a, b) => Math.min(a, b)) : undefined;
  const lastTrouble = findEndOfTrouble(crash, operations);
  let readable: number | undefined;
  if (firstError !== undefined) {
    for (const { op, result, finishedAt } of operations) {
      if (op !== 'read' || result !== 'ok' || finishedAt <= lastTrouble || finishedAt >= crash.to) continue;
      if (readable === undefined || finishedAt < readable) readable = finishedAt;
    }
  }

  // Charged from the time at which the operation was due: a stall delays all operations that were due during it.
  const until = readable ?? crash.to;
  let longestStallNs = 0;
  for (const { at, finishedAt } of operations) {
    if (finishedAt >= crash.from && at < until && finishedAt < crash.to) {
      longestStallNs = Math.max(longestStallNs, finishedAt - at);
    }
  }
  for (const hang of crash.hangs) {
    longestStallNs = Math.max(longestStallNs, Math.min(hang.until ?? crash.end, crash.end) - hang.since);
  }
  return { ...(firstError === undefined ? {} : { firstError }), readable, errors, longestStallNs };
}

/** Good operations in a row that end an outage: a later stall is the machine's and not part of it. */
const steadyCount = 10;

/** When the last operation failed, or returned that had begun to hang before the pod read steadily again. */
function findEndOfTrouble(crash: Crash, operations: readonly ProbeEvent[]): number {
  let end = crash.failures.reduce((last, failure) => Math.max(last, failure.finishedAt), 0);
  for (const hang of crash.hangs.toSorted((a, b) => a.since - b.since)) {
    const good = operations.filter(
      ({ result, startedAt, finishedAt }) =>
        result === 'ok' && startedAt < finishedAt && startedAt >= end && finishedAt <= hang.since,
    );
    const isOver = end > crash.from && !neverReturned(hang, crash) && good.length >= steadyCount;
    if (!isOver) end = Math.max(end, hang.until ?? Number.POSITIVE_INFINITY);
  }
  return end;
}

interface CrashAtSite {
  readonly timeline: Timeline;
  readonly crash: Crash;
  readonly readable: number | undefined;
  readonly volume: string | undefined;
  readonly site: ProbeSite;
}

type Milestones = Pick<Recovery, 'noticed' | 'daemonReady' | 'replacedOnNode' | 'replacedInPod' | 'verified'>;

function findMilestones(search: CrashAtSite): Milestones {
  const { timeline, crash, readable, volume, site } = search;
  const agent = timeline.ofKind('agent');
  const own = within(crash, agent).filter((event) => volume === undefined || event.volume === volume);
  const times = (kind: EventOf<'agent'>['event'], where?: string) =>
    own.flatMap(({ event, at, ...rest }) =>
      event === kind && (where === undefined || rest.where === where) ? at : [],
    );

  const noticed = times('noticed')[0];
  const daemonReady = lastBefore(readable, readyTimesAfter(timeline, crash));
  const onNode = mountTimesOnNode(search, own);
  // The node's mount may follow the pod's, so the moment at which the pod reads does not bound it.
  const replacedOnNode = onNode.find((time) => time >= (daemonReady ?? crash.from)) ?? lastBefore(readable, onNode);
  const replacedInPod = lastBefore(readable, mountTimesInPod(search) ?? times('replaced', site.container));
  // If the agent keeps a log, its Kubernetes event follows the log line, perhaps after the next crash.
  const keepsLog = agent.some(({ event }) => event === 'recovered');
  const claims = keepsLog ? times('recovered', site.container) : claimTimes(search);
  const verified =
    replacedInPod === undefined ? lastBefore(readable, claims) : claims.find((time) => time >= replacedInPod);
  return {
    ...(noticed === undefined ? {} : { noticed }),
    ...(daemonReady === undefined ? {} : { daemonReady }),
    ...(replacedOnNode === undefined ? {} : { replacedOnNode }),
    ...(replacedInPod === undefined ? {} : { replacedInPod }),
    ...(verified === undefined ? {} : { verified }),
  };
}

/**
 * When the volume was mounted in the container, by its mount table; undefined if the table was not watched. The agent writes
 * its log lines after all mounts of a pass, so they give neither the order nor the moment.
 */
function mountTimesInPod({ timeline, crash, site }: CrashAtSite): number[] | undefined {
  const mounts = within(crash, timeline.addedMounts).filter(
    ({ where, mountPoint }) => where === site.container && mountPoint === site.path,
  );
  return mounts.length === 0 ? undefined : mounts.map(({ at }) => at);
}

/** When the pod's target path on the node was mounted; only the agent's log lines name that path. */
function mountTimesOnNode({ timeline, crash, site }: CrashAtSite, own: readonly EventOf<'agent'>[]): number[] {
  const replaced = own.filter(({ event, where }) => event === 'replaced' && where === 'node');
  const ofPod = replaced.filter(({ line }) => line.pod === undefined || line.pod === site.pod);
  const paths = new Set(ofPod.map(({ path }) => path));
  const mounts = within(crash, timeline.addedMounts).filter(
    ({ where, mountPoint }) => where === 'node' && paths.has(mountPoint),
  );
  return (mounts.length === 0 ? ofPod : mounts).map(({ at }) => at);
}

/** When Kubernetes events claimed that the pod reads again. */
function claimTimes({ timeline, crash, site }: CrashAtSite): number[] {
  return within(crash, timeline.ofKind('event')).flatMap((event) =>
    claimsSuccess(event, site.pod) === undefined ? [] : event.at,
  );
}

/**
 * The one of several moments that made the pod readable: the last before it (a flapping daemon is ready more than once),
 * otherwise the first after it (the agent writes its log line after the call, so the probe may be faster).
 */
function lastBefore(readable: number | undefined, times: readonly number[]): number | undefined {
  if (readable === undefined) return times.at(-1);
  return times.findLast((time) => time <= readable) ?? times[0];
}

/** Operations a second, from the median distance between two; 0 if there are fewer than two. */
function measureRate(operations: readonly ProbeEvent[]): number {
  const gaps = operations.slice(1).map((operation, i) => operation.at - (operations[i]?.at ?? 0));
  if (gaps.length === 0) return 0;
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? 0;
  const span = (operations.at(-1)?.at ?? 0) - (operations[0]?.at ?? 0);
  // Several operations may be due at the same time.
  const gap = median > 0 ? median : span / gaps.length;
  return gap > 0 ? Math.round((1e9 / gap) * 10) / 10 : 0;
}
