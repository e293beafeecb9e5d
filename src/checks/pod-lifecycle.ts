import { type Consumer, containerName } from '../timeline/consumer.ts';
import { describe, formatDescription } from '../timeline/describe.ts';
import { formatNs } from '../timeline/duration.ts';
import type { HistoryEvent } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, miss, noCrash, pass } from './check.ts';
import { type ConsumedVolume, mountsIn, targetPathEnd, visibleMount } from './volume-mounts.ts';

/** From the first fault on the daemon keeps running: none ends, and none is started in its place. */
export const keepsItsDaemon = defineCheck(
  { name: 'the same daemon serves the volume all the time', claims: ['L4'] },
  (timeline: Timeline) => {
    const [fault] = timeline.injections;
    if (fault === undefined) return inconclusive('the history has no fault');
    const change = timeline.daemons.find(({ at }) => at >= fault.at);
    if (change !== undefined)
      return fail(`${change.name} ${change.change} ${formatNs(change.at - fault.at)} after the fault`);
    return pass('no daemon ended or was started');
  },
);

/** A container's status as the API server reports it. */
export interface RestartState {
  readonly containerId: string;
  readonly restartCount: number;
}

export interface Restarts {
  readonly consumer: Consumer;
  /** Before the first fault; absent if it was not recorded. */
  readonly before?: RestartState;
  /** After the last recovery. */
  readonly after?: RestartState;
}

/** The application's container is the same one as before, by its status, the kubelet's actions and its processes. */
export const isNotRestarted = defineCheck(
  { name: 'the pod is not restarted', claims: ['L1', 'C3'] },
  (timeline: Timeline, { consumer, before, after }: Restarts) => {
    if (before !== undefined && after !== undefined) {
      if (before.restartCount !== after.restartCount) {
        return fail(`the restart count went from ${before.restartCount} to ${after.restartCount}`);
      }
      if (before.containerId !== after.containerId) {
        return fail(`the container was ${before.containerId} and is ${after.containerId}`);
      }
    }
    const [crash] = timeline.observe(consumer).crashes;
    if (crash === undefined) return inconclusive(noCrash);
    const restart = timeline.events.find((event) => event.at >= crash.from && isRestart(event, consumer));
    if (restart !== undefined) return fail(formatDescription(describe(restart)));
    if (before === undefined || after === undefined)
      return inconclusive('the container’s status was not recorded before and after');
    return pass(
      `container ${after.containerId} and restart count ${after.restartCount} are the same as before the crash`,
    );
  },
);

function isRestart(event: HistoryEvent, consumer: Consumer): boolean {
  const { namespace, pod, container } = consumer;
  if (event.kind === 'kubelet') {
    const isOurs =
      (event.pod === `${namespace}/${pod}` || event.pod === pod) && (event.container ?? container) === container;
    return isOurs && (event.event === 'restarted' || event.event === 'restart-scheduled');
  }
  return (
    event.kind === 'process' &&
    event.role === 'container' &&
    event.name === containerName(consumer) &&
    event.change === 'exited'
  );
}

export interface LifecycleFault extends ConsumedVolume {
  /** The name of the fault after which the container starts, or which deleted the pod. */
  readonly fault: string;
}

/**
 * A container that starts while the daemon is away starts once the daemon is back and not before, and its volume is the
 * daemon's mount: nothing else is ever mounted at the target path or visible in the container.
 */
export const startsAfterDaemon = defineCheck(
  { name: 'a container starts on a living volume, and on nothing else', claims: ['L4'] },
  (timeline: Timeline, { consumer, volume, fault }: LifecycleFault) => {
    const where = containerName(consumer);
    const from = timeline.ofKind('fault').find((event) => event.fault === fault)?.at;
    if (from === undefined) return inconclusive(`the fault ${fault} was not injected`);
    const ready = timeline.daemons.find(({ at, change }) => at > from && change === 'ready');
    const started = timeline
      .ofKind('process')
      .find(({ at, name, change }) => at > from && name === where && change === 'started');
    if (started === undefined) return fail(`${where} was not started again`);
    if (ready === undefined || started.at < ready.at)
      return fail(`${where} was started ${formatNs(started.at - from)} after the fault, before the daemon was ready`);

    const foreign = timeline
      .ofKind('mount')
      .find(
        (event) =>
          event.at > from &&
          event.change === 'added' &&
          event.where === 'node' &&
          event.mountPoint.endsWith(targetPathEnd(volume)) &&
          !event.fstype.startsWith('fuse'),
      );
    if (foreign) return fail(`a filesystem of type ${foreign.fstype} was mounted at ${foreign.mountPoint}`);
    const table = timeline.mountTables(where).at(-1);
    if (table === undefined || table.at <= from)
      return inconclusive('the container’s mount table is not known afterwards');
    const visible = visibleMount(table, (path) => path === consumer.path);
    if (!visible?.fstype.startsWith('fuse')) {
      const found = visible === undefined ? 'no mount' : `of type ${visible.fstype}`;
      return fail(`${consumer.path} of ${where} is ${found}`);
    }
    return pass(`started ${formatNs(started.at - ready.at)} after the daemon was ready`);
  },
);

export interface Ending extends LifecycleFault {
  /** The pod's grace period in real milliseconds. */
  readonly graceMs: number;
}

/** What the node may take beyond the grace period, which includes unpublishing the volume, in milliseconds. */
const beyondMs = 5_000;

/** A deleted pod ends within its grace and 5 s, whatever its volume does, and nothing stays mounted for the volume's last pod. */
export const endsInTime = defineCheck(
  { name: 'a deleted pod is gone in time, and nothing of it is left', claims: ['L1'] },
  (timeline: Timeline, { consumer, volume, fault, graceMs }: Ending) => {
    const deleted = timeline.ofKind('fault').find((event) => event.fault === fault)?.at;
    if (deleted === undefined) return inconclusive('the pod was not deleted');
    const pod = `${consumer.namespace}/${consumer.pod}`;
    const gone = timeline
      .ofKind('kubelet')
      .find((event) => event.event === 'pod-removed' && event.pod === pod && event.at > deleted)?.at;
    if (gone === undefined) return fail(`${containerName(consumer)} was never gone while it was watched`);
    const took = gone - deleted;
    const allowed = (graceMs + beyondMs) * 1e6;
    if (took > allowed) return miss(`it took ${formatNs(took)}, and ${formatNs(allowed)} are allowed`);
    const table = timeline.mountTables('node').findLast(({ at }) => at > gone);
    if (table === undefined) return inconclusive('the node’s mount table is not known afterwards');
    const rest = mountsIn(table).find(({ mountPoint }) => mountPoint.endsWith(targetPathEnd(volume)));
    return rest === undefined
      ? pass(`gone ${formatNs(took)} after it was deleted`)
      : fail(`the node still has a mount at ${rest.mountPoint}`);
  },
);
