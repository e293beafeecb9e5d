import { showsDaemonsMount } from '../checks/mount-tables.ts';
import { seesNoOtherError } from '../checks/outage.ts';
import { isNotRestarted } from '../checks/pod-lifecycle.ts';
import { readsAgain, readsNoWrongData, seesNoEmptyDirectory } from '../checks/reads.ts';
import { attachesLivingOnly, failsOver, mountsOnce } from '../checks/standby.ts';
import { probeName } from '../timeline/consumer.ts';
import type { CheckRecord, HistoryEvent, ProbeEvent } from '../timeline/record.ts';
import { claimsSuccess } from '../timeline/success-claims.ts';
import { lastSeen } from './last-seen.ts';
import type { ScenarioPod } from './pod.ts';
import { containerOf } from './pod-state.ts';
import { ignorePollTimeout } from './scenario.ts';

/** Consecutive good operations after which a pod counts as reading again. */
const steady = 10;

/** Waits until the pod's probe has read ten times in a row, and listed if it does, since the last fault (or `since`), or since it started. */
export async function untilPodReads(
  pod: ScenarioPod,
  since = pod.namespace.scenario.lastFaultAt,
  atLeastMs = 0,
): Promise<void> {
  const { scenario } = pod.namespace;
  await scenario.eventually({
    condition: `pod ${pod.name} reads`,
    atLeastMs,
    read: () =>
      readsSteadily(scenario.history, {
        probe: probeName(pod.consumer),
        since,
        lists: scenario.session.cluster.probeReadsOnly !== true,
      }),
    until: (steadily) => steadily,
    format: () => `${formatLastOperations(operationsSince(pod, since))}; ${lastSeen(scenario.history)}`,
  });
}

/** Waits until the daemon is back after the last fault and the pod reads, so that reads from before the crash do not count. */
export async function untilPodRecovers(pod: ScenarioPod): Promise<void> {
  const { scenario } = pod.namespace;
  const since = scenario.lastFaultAt;
  await scenario.daemonReadyAfter(since);
  await untilPodReads(pod);
  await untilNothingHangs(pod, since);
}

/** Waits until the daemon that the last fault struck has ended and the pod reads, whether or not the daemon is back. */
export async function untilPodFailsOver(pod: ScenarioPod): Promise<void> {
  const { scenario } = pod.namespace;
  const since = scenario.lastFaultAt;
  const isEnd = (event: HistoryEvent) =>
    event.kind === 'process' && event.role === 'daemon' && event.change === 'exited' && event.at > since;
  await scenario.happens('the daemon has ended', isEnd);
  await untilPodReads(pod, scenario.history.find(isEnd)?.at);
  await untilNothingHangs(pod, since);
  const { container, path } = pod.consumer;
  const where = `${pod.namespace.name}/${pod.name}/${container}`;
  await scenario.happens(
    'another mount is attached in the pod',
    (event) =>
      event.kind === 'mount' &&
      event.change === 'added' &&
      event.where === where &&
      event.mountPoint === path &&
      event.at > since,
  );
}

/** Waits until an operation of the pod's probe has failed after the last fault. */
export async function untilPodFails(pod: ScenarioPod): Promise<void> {
  const { scenario } = pod.namespace;
  const since = scenario.lastFaultAt;
  const probe = probeName(pod.consumer);
  await scenario.happens(
    `the probe in ${pod.name} fails`,
    (event) => event.kind === 'probe' && event.probe === probe && event.at >= since && event.result !== 'ok',
  );
}

/** Waits until the pod fails, the daemon is back, and the time has passed in which a recovery would have happened. */
export async function watchUnrecovered(pod: ScenarioPod): Promise<void> {
  const { scenario } = pod.namespace;
  await untilPodFails(pod);
  await scenario.daemonReadyAfter(scenario.lastFaultAt);
  const watched = scenario.session.history.now() + scenario.watchMs * 1e6;
  await scenario.watch();
  // On a busy machine the probe reports late. If it does not at all, the checks say so.
  await scenario
    .eventually({
      condition: 'the probe reports on all of the time that was watched',
      read: () => operationsSince(pod, watched),
      until: ({ length }) => length > 0,
      format: formatLastOperations,
    })
    .catch(ignorePollTimeout);
}

/** Waits for the agent's claim that it recovered the pod, and for the operations that confirm or refute the claim. */
export async function untilRecoveryIsClaimed(pod: ScenarioPod): Promise<void> {
  const { scenario } = pod.namespace;
  const since = scenario.lastFaultAt;
  const address = `${pod.namespace.name}/${pod.name}`;
  const inLog = (event: HistoryEvent) =>
    event.kind === 'agent' && event.event === 'recovered' && event.where?.startsWith(`${address}/`) === true;
  const byEvent = (event: HistoryEvent) => event.kind === 'event' && claimsSuccess(event, address) !== undefined;
  const claims = (event: HistoryEvent) => event.at > since && (inLog(event) || byEvent(event));
  if (scenario.judgesOwnAgent) {
    // It claims it in its log first. An event after the fault may be a late one of the recovery before.
    await scenario.happens('the agent claims that the pod was recovered', (event) => event.at > since && inLog(event));
    await scenario.happens(
      'an event claims that the pod was recovered',
      (event) => event.kind === 'event' && event.at > since && claimsSuccess(event, address) === 'pod',
    );
  } else await scenario.happens('the agent or an event claims that the pod was recovered', claims);
  // Each claim is judged by the operations that follow it.
  const lastClaimAt = () => scenario.history.findLast(claims)?.at ?? 0;
  await scenario.eventually({
    condition: 'the probe confirms or refutes the claim',
    read: () => operationsSince(pod, lastClaimAt()),
    until: ({ length }) => length >= 2 * steady,
    format: formatLastOperations,
  });
  await untilNothingHangs(pod, scenario.history.find(claims)?.at ?? 0);
}

/** The checks of a recovery from a crash, after which the pod must have seen the errors of a dead connection only. */
export async function recoveryChecks(pod: ScenarioPod): Promise<readonly CheckRecord[]> {
  const reading = await readingChecks(pod);
  const { timeline, session } = pod.namespace.scenario;
  return [...reading, seesNoOtherError(timeline, pod.consumer, session.cluster.kernel)];
}

/** The checks of a failover, after which the pod may have seen the errors of a dead connection, or nothing at all. */
export async function failoverChecks(pod: ScenarioPod): Promise<readonly CheckRecord[]> {
  const { consumer, dataset } = pod;
  // The first one needs an error that the pod may not have seen.
  const [, ...reading] = await readingChecks(pod);
  const { timeline, session } = pod.namespace.scenario;
  const { capabilities, kernel } = session.cluster;
  const mounts = { consumer, volume: dataset.volume };
  return [
    failsOver(timeline, { consumer, budgets: { failoverMs: session.profile.budgets.failoverMs } }),
    mountsOnce(timeline, { ...mounts, mountsBeneath: capabilities.has('mount-beneath') }),
    attachesLivingOnly(timeline, mounts),
    ...reading,
    seesNoOtherError(timeline, consumer, kernel),
  ];
}

/** Checks that the pod reads the same files from the daemon that runs now, never saw others, and was not restarted. */
export async function readingChecks(pod: ScenarioPod): Promise<readonly CheckRecord[]> {
  const { consumer, before, dataset, namespace } = pod;
  await namespace.countMounts();
  const { session, timeline } = namespace.scenario;
  const status = containerOf(await pod.read(), consumer.container);
  const after = { containerId: status?.containerID ?? '', restartCount: status?.restartCount ?? 0 };
  return [
    readsAgain(timeline, consumer),
    isNotRestarted(timeline, { consumer, before, after }),
    seesNoEmptyDirectory(timeline, consumer, session.cluster.probeReadsOnly !== true),
    readsNoWrongData(timeline, consumer),
    showsDaemonsMount(timeline, { consumer, volume: dataset.volume }),
  ];
}

/**
 * Waits until no operation that began after the last fault (or `since`) is still in progress; one that never returns is left for the checks
 * to report.
 */
export async function untilNothingHangs(pod: ScenarioPod, since = pod.namespace.scenario.lastFaultAt): Promise<void> {
  const { scenario } = pod.namespace;
  const probe = probeName(pod.consumer);
  await scenario
    .eventually({
      condition: "the probe's operations return",
      read: () =>
        scenario.history
          .filter((event) => event.kind === 'hang')
          .findLast((event) => event.since >= since && event.probe === probe),
      until: (last) => last === undefined || last.over,
      format: (last) => `a ${last?.op} hangs`,
    })
    .catch(ignorePollTimeout);
}

/** Whether the last operations of a probe since a moment were all good. Searches backwards, because it is called often on a long history. */
export function readsSteadily(
  history: readonly HistoryEvent[],
  { probe, since, lists }: { readonly probe: string; readonly since: number; readonly lists: boolean },
): boolean {
  let good = 0;
  let listed = !lists;
  for (let index = history.length - 1; index >= 0 && !(good >= steady && listed); index--) {
    const event = history[index];
    if (event === undefined || event.at < since) break;
    if (!isOperation(event, probe)) continue;
    if (event.result !== 'ok') break;
    good += 1;
    listed ||= event.op === 'list';
  }
  return good >= steady && listed;
}

function operationsSince(pod: ScenarioPod, since: number): readonly ProbeEvent[] {
  const { history } = pod.namespace.scenario;
  const probe = probeName(pod.consumer);
  const first = history.findLastIndex(({ at }) => at < since) + 1;
  return history.slice(first).filter((event): event is ProbeEvent => isOperation(event, probe));
}

/**
 * Excludes stat, which the kernel may answer from its cache, and operations that were only charged for a slot that another
 * operation blocked, which the checks do not count either.
 */
function isOperation(event: HistoryEvent, probe: string): event is ProbeEvent {
  if (event.kind !== 'probe' || event.op === 'stat' || event.startedAt >= event.finishedAt) return false;
  return event.probe === probe;
}

function formatLastOperations(all: readonly ProbeEvent[]): string {
  if (all.length === 0) return 'no operation of its probe at all';
  const last = all.slice(-5).map(({ op, result }) => `${op} ${result}`);
  return `the last of ${all.length} operations: ${last.join(', ')}`;
}
