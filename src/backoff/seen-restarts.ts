import type { HistoryEvent } from '../timeline/record.ts';
import type { SeenRestart } from './predict.ts';

/** A restart as a history tells it, with what the kubelet itself announced. */
export interface ToldRestart extends SeenRestart {
  /** Back-off of the kubelet's own message; absent where it gave none. */
  readonly announcedMs?: number;
  /** The same moments in nanoseconds of the history's own clock. */
  readonly exitedAt: number;
  readonly restartedAt: number;
}

/**
 * Each time that a container ended and was started again, oldest first; one that has not been started again is left out.
 * `container`: `<namespace>/<pod>/<container>`.
 */
export function seenRestarts(
  history: readonly HistoryEvent[],
  { container, clockScale }: { readonly container: string; readonly clockScale: number },
): readonly ToldRestart[] {
  const kubeletMs = (ns: number) => (ns / 1e6) * clockScale;
  const restarts: ToldRestart[] = [];
  let exitedAt: number | undefined;
  let announcedNs: number | undefined;
  for (const event of history.toSorted((a, b) => a.at - b.at)) {
    if (event.kind === 'kubelet' && event.event === 'restart-scheduled') {
      if (`${event.pod}/${event.container}` === container) announcedNs = event.delayNs;
    }
    if (event.kind !== 'process' || event.name !== container) continue;
    if (event.change === 'exited') exitedAt = event.at;
    if (event.change !== 'started' || exitedAt === undefined) continue;
    restarts.push({
      finishedAt: kubeletMs(exitedAt),
      startedAt: kubeletMs(event.at),
      exitedAt,
      restartedAt: event.at,
      ...(announcedNs !== undefined && { announcedMs: announcedNs / 1e6 }),
    });
    exitedAt = undefined;
    announcedNs = undefined;
  }
  return restarts;
}
