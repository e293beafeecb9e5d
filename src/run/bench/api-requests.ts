import { setTimeout as delay } from 'node:timers/promises';
import { pollOrLast } from '../../../clusters/poll.ts';
import type { ApiRequests } from '../../../reports/bench/record.ts';

/** Requests by verb and resource: `create events`. */
type Counts = Readonly<Record<string, number>>;

/** Events are sent after a recovery, so counts are read until they stop growing. */
const settling = { intervalMs: 250, timeoutMs: 3_000 } as const;

/** The agent's request counts in its metrics; undefined if it has none. */
export function requestsIn(metrics: string): Counts | undefined {
  if (!metrics.includes('rekindle_api_requests_total')) return undefined;
  const lines = metrics.matchAll(/^rekindle_api_requests_total\{verb="([^"]*)",resource="([^"]*)"\} (\d+)/gm);
  return Object.fromEntries([...lines].map(([, verb, resource, count]) => [`${verb} ${resource}`, Number(count)]));
}

/** Requests between two readings. A restarted agent counts from 0. */
export function requestsBetween(before: Counts, after: Counts): Counts {
  const counted = Object.entries(after).map(([call, count]) => {
    const earlier = before[call] ?? 0;
    return [call, count < earlier ? count : count - earlier] as const;
  });
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

/** Counts an agent's API requests during crashes and at rest. */
export class RequestCount {
  readonly #metrics: () => Promise<string>;
  readonly #signal: AbortSignal;
  readonly #during: Record<string, number> = {};
  #before: Counts | undefined;
  #crashes = 0;
  #idle: ApiRequests['idle'];

  constructor(metrics: () => Promise<string>, signal: AbortSignal) {
    this.#metrics = metrics;
    this.#signal = signal;
  }

  async begin(): Promise<void> {
    this.#before = requestsIn(await this.#metrics());
  }

  /** Ends a period that began with `begin()` and contained `crashes` crashes. */
  async end(crashes: number): Promise<void> {
    const before = this.#before;
    if (before === undefined) return;
    for (const [call, count] of Object.entries(requestsBetween(before, await this.#settled())))
      this.#during[call] = (this.#during[call] ?? 0) + count;
    this.#crashes += crashes;
    this.#before = undefined;
  }

  /** Counts the requests at rest. */
  async rest(overMs: number): Promise<void> {
    const before = await this.#settled();
    await delay(overMs, undefined, { signal: this.#signal });
    const during = requestsBetween(before, requestsIn(await this.#metrics()) ?? {});
    this.#idle = { during, overMs };
  }

  get result(): ApiRequests | undefined {
    if (this.#crashes === 0) return undefined;
    return { during: this.#during, crashes: this.#crashes, ...(this.#idle && { idle: this.#idle }) };
  }

  async #settled(): Promise<Counts> {
    let last: Counts | undefined;
    const { counts } = await pollOrLast({
      ...settling,
      read: async () => {
        const counts = requestsIn(await this.#metrics()) ?? {};
        const isSettled = last !== undefined && Object.keys(requestsBetween(last, counts)).length === 0;
        last = counts;
        return { counts, isSettled };
      },
      until: ({ isSettled }) => isSettled,
      signal: this.#signal,
    });
    return counts;
  }
}
