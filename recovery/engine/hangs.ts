import type { Answers } from './answers.ts';
import type { Journal } from './journal.ts';
import type { DeviceId, Nanoseconds, SourceState } from './model.ts';
import type { ClockPort, KernelPort } from './ports.ts';

export interface HangParts {
  readonly kernel: Pick<KernelPort, 'abort'>;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly answers: Answers;
  readonly journal: Journal;
  /** Undefined: never. */
  readonly abortHungAfter: Nanoseconds | undefined;
  readonly firstReadDeadline: Nanoseconds;
  readonly later: (delay: bigint, callback: () => void) => void;
  /** A connection was aborted: its mounts are dead from now on. */
  readonly aborted: (volume: string) => void;
}

/**
 * Aborts connections that have hung for longer than the user allows, so that every call on them ends with an error and the
 * daemon can be replaced. One that has never answered may still be starting and is given that time first.
 */
export function createHangs(parts: HangParts): (volume: string, states: readonly SourceState[]) => void {
  const { kernel, clock, answers, journal, abortHungAfter, firstReadDeadline } = parts;
  const waiting = new Set<DeviceId>();

  return (volume, states) => {
    if (abortHungAfter === undefined) return;
    for (const state of states) if (state.state === 'hung') consider(volume, state, abortHungAfter);
  };

  function consider(volume: string, state: Extract<SourceState, { state: 'hung' }>, allowed: Nanoseconds): void {
    const { device } = state;
    const since = answers.known(device)?.hungSince;
    if (since === undefined) return;
    const isStarting = !answers.hasAnswered(device) && firstReadDeadline > allowed;
    const left = since + (isStarting ? firstReadDeadline : allowed) - clock.now();
    if (left <= 0n) {
      journal.aborted({ trigger: 'resync', volume, source: state });
      if (kernel.abort(device).ok) parts.aborted(volume);
    } else if (!waiting.has(device)) {
      waiting.add(device);
      parts.later(left, () => {
        waiting.delete(device);
        consider(volume, state, allowed);
      });
    }
  }
}
