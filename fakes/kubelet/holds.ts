/** Containers that are not to be started for now. Kept apart from the pods' workers, so that a reboot does not let them go. */
export class Holds {
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  /** `address`: `<namespace>/<pod>/<container>`. Until disposed of; a later hold of the same container replaces it. */
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

  /** Resolves when the container may be started, and at the latest when the pod is ended. */
  async released(address: string, ended: AbortSignal): Promise<void> {
    for (let gate = this.#gates.get(address); gate && !ended.aborted; gate = this.#gates.get(address))
      await Promise.race([gate.promise, once(ended)]);
  }
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
