import type { Nanoseconds } from '../../engine/model.ts';
import type { ClockPort } from '../../engine/ports.ts';

/** How a modelled FUSE connection answers. `starting`: its daemon has not greeted the kernel; then and when it hangs, requests wait. */
export type ConnectionState = 'live' | 'starting' | 'hung' | 'dead';

export interface ConnectionFacts {
  readonly state?: ConnectionState;
  /** The paths that the daemon serves: directories and files below its root, without a leading slash. */
  readonly entries?: Iterable<string>;
  /** Milliseconds for which the kernel may use a name without asking again; an hour by default. */
  readonly entryTimeout?: number;
  /** What calls fail with if the daemon ends before it has greeted the kernel: ENOTCONN until Linux 6.18, ECONNREFUSED in 7.2. */
  readonly ungreeted?: 'ENOTCONN' | 'ECONNREFUSED';
  /** Milliseconds. */
  readonly now?: () => number;
}

const hour = 3_600_000;

/** A modelled FUSE connection with its daemon. */
export class FuseConnection {
  readonly entries: ReadonlySet<string>;
  readonly entryTimeout: number;
  /** What calls fail with once it is dead. */
  errno: 'ENOTCONN' | 'ECONNREFUSED' = 'ENOTCONN';
  /** What a read of its root lists, so that contents can differ. */
  listing = 'files';
  /** Users that cannot read. */
  readonly denied = new Set<number>();
  /** When it stopped answering, in the milliseconds of `now`; undefined while it answers or is dead. */
  silentSince: number | undefined;
  /** The last time in which it did not answer. */
  lastSilence: { readonly since: number; readonly until: number } | undefined;
  readonly #ungreeted: 'ENOTCONN' | 'ECONNREFUSED';
  readonly #now: () => number;
  readonly #waiting = new Set<() => void>();
  readonly #exits = new Set<() => void>();
  #state: ConnectionState;

  constructor({
    state = 'live',
    entries = [],
    entryTimeout = hour,
    ungreeted = 'ENOTCONN',
    now = () => 0,
  }: ConnectionFacts = {}) {
    this.#state = state;
    this.#ungreeted = ungreeted;
    this.#now = now;
    this.silentSince = this.isSilent ? now() : undefined;
    this.entries = new Set(entries);
    this.entryTimeout = entryTimeout;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  set state(state: ConnectionState) {
    if (state === 'dead' && this.#state === 'starting') this.errno = this.#ungreeted;
    this.#state = state;
    if (this.silentSince !== undefined && !this.isSilent)
      this.lastSilence = { since: this.silentSince, until: this.#now() };
    this.silentSince = this.isSilent ? (this.silentSince ?? this.#now()) : undefined;
    if (this.isSilent) return;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Whether requests wait. */
  get isSilent(): boolean {
    return this.#state === 'starting' || this.#state === 'hung';
  }

  /** Ends the daemon, after which every call on the connection fails with `errno`. */
  crash(): void {
    this.state = 'dead';
    this.handOver();
  }

  /** Ends the process of the daemon, whose connection another process has. */
  handOver(): void {
    const exits = [...this.#exits];
    this.#exits.clear();
    for (const exited of exits) exited();
  }

  /** Calls back once when the process of the daemon ends. */
  onExit(exited: () => void): Disposable {
    this.#exits.add(exited);
    return { [Symbol.dispose]: () => void this.#exits.delete(exited) };
  }

  /**
   * Makes a request. Resolves with false at the deadline if the daemon has not answered by then; the request still waits, and uses what
   * `held` stands for until it is answered.
   */
  async answers(clock: ClockPort, deadline: Nanoseconds, held: () => Disposable): Promise<boolean> {
    if (!this.isSilent) return true;
    const use = held();
    return new Promise((resolve) => {
      const timer = clock.after((deadline - clock.now()) as Nanoseconds, () => resolve(false));
      const wake = () => {
        timer[Symbol.dispose]();
        this.#waiting.delete(wake);
        use[Symbol.dispose]();
        resolve(true);
      };
      this.#waiting.add(wake);
    });
  }
}
