/**
 * When the kubelet starts a container again (facts: kubelet; `pkg/kubelet/kubelet.go`, client-go `flowcontrol.Backoff`).
 * The first restart is immediate, then 10, 20, 40 ... 300 s, for each container; forgotten where the container ran for
 * more than 600 s since its last restart was allowed. All times are milliseconds of the kubelet's clock.
 */
export interface Backoff {
  /** The delay that the last restart was given; the next one is twice that. */
  readonly delayMs: number;
  /** When the last restart was allowed. */
  readonly allowedAt: number;
}

export const initialDelayMs = 10_000;
export const maximumDelayMs = 300_000;
export const forgottenAfterMs = 600_000;

/** The restart of a container that ended at `finishedAt`: how long it waits, and the state to keep for the next one. */
export function nextRestart(
  previous: Backoff | undefined,
  finishedAt: number,
): { readonly delayMs: number; readonly next: Backoff } {
  const known = previous && finishedAt - previous.allowedAt <= forgottenAfterMs ? previous : undefined;
  if (!known) return { delayMs: 0, next: { delayMs: initialDelayMs, allowedAt: finishedAt } };
  return {
    delayMs: known.delayMs,
    next: { delayMs: Math.min(known.delayMs * 2, maximumDelayMs), allowedAt: finishedAt + known.delayMs },
  };
}
