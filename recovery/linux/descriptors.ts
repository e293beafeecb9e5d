import type { Result } from '../engine/ports.ts';
import type { Syscalls } from './syscalls.ts';

/** Descriptors that are closed together: a clone that was attached lives on, one that was not is gone. */
export class Descriptors implements Disposable {
  readonly #sys: Pick<Syscalls, 'close'>;
  readonly #open: number[] = [];

  constructor(sys: Pick<Syscalls, 'close'>) {
    this.#sys = sys;
  }

  /** Takes over the descriptor of a call that worked. */
  own(result: Result<number>): Result<number> {
    if (result.ok) this.#open.push(result.value);
    return result;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.splice(0).reverse()) this.#sys.close(fd);
  }
}
