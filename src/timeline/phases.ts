import { type Crash, crashesOf, troubleOf } from './crashes.ts';
import { groupBy } from './group-by.ts';
import type { HistoryEvent, ProbeEvent, Recovery } from './record.ts';
import { claimsSuccess, type KubernetesEvent } from './success-event.ts';

type Agent = Extract<HistoryEvent, { kind: 'agent' }>;
type Ready = Extract<HistoryEvent, { kind: 'process' }>;
type Mount = Extract<HistoryEvent, { kind: 'mount' }>;

export interface RecoveryOptions {
  /** Whether a fault can reach a probe: for runs that crash several datasets at once. By default every fault reaches all. */
  readonly concerns?: (fault: Crash['fault'], probe: string) => boolean;
}

/**
 * What came of each crash, for each probe of a scenario: the phases from the crash to the first good read in the pod.
 *
 * A crash's window lasts until the next crash; what fails in it is charged to it. A crash that was overtaken by the next one
 * before the pod could read has no `readable`. A fault that neither ended a daemon nor disturbed the probe is no crash.
 * `errors` is empty and `firstError` absent where the probe did not see the crash at all.
 */
export function recoveries(
  history: readonly HistoryEvent[],
  scenario: string,
  { concerns = () => true }: RecoveryOptions = {},
): Recovery[] {
  const events = history.filter((event) => event.scenario === scenario).sort((a, b) => a.at - b.at);
  const end = events.reduce((last, event) => Math.max(last, event.kind === 'probe' ? event.finishedAt : event.at), 0);
  const agent = events.filter((event) => event.kind === 'agent');
  const daemons = events.filter((event) => event.kind === 'process' && event.role === 'daemon') as Ready[];
  const mounts = events.filter((event) => event.kind === 'mount' && event.change === 'added') as Mount[];
  const faults = events.filter((event) => event.kind === 'fault' && event.phase === 'injected') as Crash['fault'][];
  const posted = events.filter((event) => event.kind === 'event');

  const byProbe = groupBy(
    events.filter((event) => event.kind === 'probe'),
    (event) => event.probe,
  );
  for (const event of events) if (event.kind === 'hang' && !byProbe.has(event.probe)) byProbe.set(event.probe, []);

  return [...byProbe]
    .flatMap(([probe, operations]) => {
      const place = placeOf(probe);
      const volume = volumeOf(place, agent);
      const trouble = troubleOf(probe, operations, events);
      const reaching = faults.filter((fault) => concerns(fault, probe));
      const rate = rateOf(operations);
      return crashesOf({ faults: reaching, daemons, trouble, end })
        .filter((crash) => disturbs(crash, volume, agent))
        .map((crash): Recovery => {
          const { readable, ...seen } = seenByProbe(crash, operations);
          const done = milestones({ crash, readable, volume, place, agent, posted, daemons, mounts });
          return {
            fault: crash.fault.fault,
            volume: volume ?? 'unknown',
            pod: place.pod,
            probe,
            crash: crash.from,
            ...seen,
            ...done,
            ...(readable === undefined ? {} : { readable }),
            probeRate: rate,
          };
        });
    })
    .sort((a, b) => a.crash - b.crash);
}

interface Place {
  readonly where: string;
  readonly pod: string;
  readonly path: string;
}

function placeOf(probe: string): Place {
  const colon = probe.indexOf(':');
  const where = colon < 0 ? probe : probe.slice(0, colon);
  return { where, pod: where.split('/').slice(0, 2).join('/'), path: colon < 0 ? '' : probe.slice(colon + 1) };
}

/** The volume that the agent names for the probe's container; otherwise the only one that it names at all. */
function volumeOf(place: Place, agent: readonly Agent[]): string | undefined {
  const here = agent.filter((event) => event.volume !== undefined && event.where === place.where);
  const exact = here.find((event) => event.path === place.path) ?? here[0];
  if (exact) return exact.volume;
  const named = new Set(agent.flatMap((event) => event.volume ?? []));
  return named.size === 1 ? [...named][0] : undefined;
}

/** A crash of another volume, which the probe did not feel, is none of the probe's. */
function disturbs(crash: Crash, volume: string | undefined, agent: readonly Agent[]): boolean {
  if (crash.failures.length > 0 || crash.hangs.length > 0 || volume === undefined) return true;
  const noticed = within(crash, agent).filter((event) => event.event === 'noticed' && event.volume !== undefined);
  return noticed.length === 0 || noticed.some((event) => event.volume === volume);
}

function within<T extends { readonly at: number }>(crash: Crash, events: readonly T[]): T[] {
  return events.filter((event) => event.at >= crash.from && event.at < crash.to);
}

function seenByProbe(crash: Crash, operations: readonly ProbeEvent[]) {
  const errors: Record<string, number> = {};
  for (const { result } of crash.failures) errors[result] = (errors[result] ?? 0) + 1;
  const lost = crash.hangs.filter((hang) => hang.until === undefined).length;
  if (lost > 0) errors.HANG = lost;

  const began = [
    ...crash.failures.map((failure) => failure.finishedAt),
    ...crash.hangs.map((hang) => Math.max(hang.since, crash.from)),
  ];
  const firstError = began.length > 0 ? began.reduce((a, b) => Math.min(a, b)) : undefined;
  const lastTrouble = endOfTrouble(crash, operations);
  let readable: number | undefined;
  if (firstError !== undefined) {
    for (const operation of operations) {
      const { op, result, finishedAt } = operation;
      if (op !== 'read' || result !== 'ok' || finishedAt <= lastTrouble || finishedAt >= crash.to) continue;
      if (readable === undefined || finishedAt < readable) readable = finishedAt;
    }
  }

  // Charged from the time at which the operation was due: a stall delays all that were due during it.
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

/** So many good operations in a row, and the outage is over: what stalls after that is the machine's, and no part of it. */
const steadyCount = 10;

/** When the last operation failed, or came back that had begun to hang before the pod read steadily again. */
function endOfTrouble({ from, failures, hangs }: Crash, operations: readonly ProbeEvent[]): number {
  let end = failures.reduce((last, failure) => Math.max(last, failure.finishedAt), 0);
  for (const { since, until = Number.POSITIVE_INFINITY } of hangs.toSorted((a, b) => a.since - b.since)) {
    const good = operations.filter(
      ({ result, startedAt, finishedAt }) =>
        result === 'ok' && startedAt < finishedAt && startedAt >= end && finishedAt <= since,
    );
    const isOver = end > from && until < Number.POSITIVE_INFINITY && good.length >= steadyCount;
    if (!isOver) end = Math.max(end, until);
  }
  return end;
}

interface Search {
  readonly crash: Crash;
  readonly readable: number | undefined;
  readonly volume: string | undefined;
  readonly place: Place;
  readonly agent: readonly Agent[];
  readonly posted: readonly KubernetesEvent[];
  readonly daemons: readonly Ready[];
  /** Mounts that were added, anywhere. */
  readonly mounts: readonly Mount[];
}

type Milestones = Pick<Recovery, 'noticed' | 'daemonReady' | 'replacedOnNode' | 'replacedInPod' | 'verified'>;

function milestones(search: Search): Milestones {
  const { crash, readable, volume, place, agent, daemons } = search;
  const own = within(crash, agent).filter((event) => volume === undefined || event.volume === volume);
  const times = (event: Agent['event'], where?: string) =>
    own.filter((one) => one.event === event && (where === undefined || one.where === where)).map((one) => one.at);

  const gone = new Set(within(crash, daemons).flatMap((one) => (one.change === 'exited' ? workloadOf(one.name) : [])));
  const back = within(crash, daemons).filter(
    (one) => one.change === 'ready' && (gone.size === 0 || gone.has(workloadOf(one.name))),
  );

  const noticed = times('noticed')[0];
  const daemonReady = leadingTo(
    readable,
    back.map((one) => one.at),
  );
  const onNode = mountedOnNode(search, own);
  // The node's own mount may well come after the pod's, so it is no matter of when the pod reads.
  const replacedOnNode = onNode.find((time) => time >= (daemonReady ?? crash.from)) ?? leadingTo(readable, onNode);
  const replacedInPod = leadingTo(readable, mountedInPod(search) ?? times('replaced', place.where));
  // The event of an agent that has a log comes after it, maybe after the next crash.
  const keepsLog = agent.some(({ event }) => event === 'recovered');
  const reads = keepsLog ? times('recovered', place.where) : claimed(search);
  const verified =
    replacedInPod === undefined ? leadingTo(readable, reads) : reads.find((time) => time >= replacedInPod);
  return {
    ...(noticed === undefined ? {} : { noticed }),
    ...(daemonReady === undefined ? {} : { daemonReady }),
    ...(replacedOnNode === undefined ? {} : { replacedOnNode }),
    ...(replacedInPod === undefined ? {} : { replacedInPod }),
    ...(verified === undefined ? {} : { verified }),
  };
}

/** A daemon's name without what tells its pod from the one that it replaced. */
const workloadOf = (name: string) => name.replace(/-[a-z0-9]{5}(?=\/|$)/, '');

/**
 * When the volume was mounted in the container, as its mount table said. The agent writes its lines of a pass when all mounts
 * of the pass are made, so they tell neither order nor moment; they are for where nobody watched the table.
 */
function mountedInPod({ crash, place, mounts }: Search): number[] | undefined {
  const seen = within(crash, mounts).filter(
    ({ where, mountPoint }) => where === place.where && mountPoint === place.path,
  );
  return seen.length === 0 ? undefined : seen.map(({ at }) => at);
}

/** When Kubernetes events said that the pod reads again. */
function claimed({ crash, place, posted }: Search): number[] {
  return within(crash, posted)
    .filter((event) => claimsSuccess(event, place.pod) !== undefined)
    .map(({ at }) => at);
}

/** The same of the pod's target path on the node, which only the agent's lines name. */
function mountedOnNode({ crash, place, mounts }: Search, own: readonly Agent[]): number[] {
  const said = own.filter((one) => one.event === 'replaced' && one.where === 'node');
  const ofPod = said.filter(({ line }) => line.pod === undefined || line.pod === place.pod);
  const paths = new Set(ofPod.map(({ path }) => path));
  const seen = within(crash, mounts).filter(({ where, mountPoint }) => where === 'node' && paths.has(mountPoint));
  return (seen.length === 0 ? ofPod : seen).map(({ at }) => at);
}

/**
 * The one of several that made the pod readable: the last before it (a flapping daemon is ready more than once), otherwise
 * the first after it (the agent writes its line after the call, so the probe may be faster).
 */
function leadingTo(readable: number | undefined, times: readonly number[]): number | undefined {
  if (readable === undefined) return times.at(-1);
  return times.findLast((time) => time <= readable) ?? times[0];
}

/** Operations a second, from the median distance between two; 0 where there are not two. */
function rateOf(operations: readonly ProbeEvent[]): number {
  const gaps = operations.slice(1).map((operation, i) => operation.at - (operations[i]?.at ?? 0));
  if (gaps.length === 0) return 0;
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? 0;
  const span = (operations.at(-1)?.at ?? 0) - (operations[0]?.at ?? 0);
  // Several operations may be due at the same time.
  const gap = median > 0 ? median : span / gaps.length;
  return gap > 0 ? Math.round((1e9 / gap) * 10) / 10 : 0;
}
