/**
 * The kubelet's back-off for one container (`pkg/kubelet/kubelet.go`, client-go `flowcontrol.Backoff`): the first
 * restart is immediate, later ones wait for 10, 20, 40 ... 300 s. It is reset if the container ends more than 600 s after its last
 * restart was allowed. All times are milliseconds of the kubelet's clock.
 */
export interface Backoff {
  /** Delay of the next restart. */
  readonly delayMs: number;
  /** When the last restart was allowed. */
  readonly allowedAt: number;
}

export const initialDelayMs = 10_000;
export const maximumDelayMs = 300_000;
export const forgottenAfterMs = 600_000;

/** The delay of the restart of a container that ended at `finishedAt`, and the state for the next restart. */
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

/** Containers that must not be started for now. Holds survive a reboot of the node, unlike the workers of pods. */
export class Holds {
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  /** Holds `<namespace>/<pod>/<container>` until disposal. A later hold of the same container replaces it. */
  hold(address: string): Disposable {
    const gate = Promise.withResolvers<void>();
    this.#gates.get(address)?.resolve();
    this.#gates.set(address, gate);
    return {
      [Symbol.dispose]: () => {
        if (this.#gates.get(address) === gate) this.#gates.delete(address);
        gate.resolve();
      },
    };
  }

  /** Resolves when the container may be started or the pod is ended. */
  async released(address: string, ended: AbortSignal): Promise<void> {
    for (let gate = this.#gates.get(address); gate && !ended.aborted; gate = this.#gates.get(address))
      await Promise.race([gate.promise, once(ended)]);
  }
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
