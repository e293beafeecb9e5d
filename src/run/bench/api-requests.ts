import { setTimeout as delay } from 'node:timers/promises';
import type { ApiRequests } from '../../../reports/bench/record.ts';

/** Requests by verb and resource: `create events`. */
type Counts = Readonly<Record<string, number>>;

/** Events are sent after a recovery; the counts are read until they stand still, for so long at most. */
const looks = { everyMs: 250, most: 12 } as const;

/** The agent's own count of its requests, of its metrics; undefined where it has none. */
export function requestsIn(metrics: string): Counts | undefined {
  if (!metrics.includes('rekindle_api_requests_total')) return undefined;
  const lines = metrics.matchAll(/^rekindle_api_requests_total\{verb="([^"]*)",resource="([^"]*)"\} (\d+)/gm);
  return Object.fromEntries([...lines].map(([, verb, resource, count]) => [`${verb} ${resource}`, Number(count)]));
}

/** What came between two looks; an agent that was started again counts from 0. */
export function requestsBetween(before: Counts, after: Counts): Counts {
  const counted = Object.entries(after).map(([call, count]) => {
    const earlier = before[call] ?? 0;
    return [call, count < earlier ? count : count - earlier] as const;
  });
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

/** Counts what an agent asks of the API server during crashes, and while nothing happens. */
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

  /** After so many crashes since it began. */
  async end(crashes: number): Promise<void> {
    const before = this.#before;
    if (before === undefined) return;
    for (const [call, count] of Object.entries(requestsBetween(before, await this.#settled())))
      this.#during[call] = (this.#during[call] ?? 0) + count;
    this.#crashes += crashes;
    this.#before = undefined;
  }

  /** Watches it for so long while nothing happens. */
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
    let last = requestsIn(await this.#metrics()) ?? {};
    for (let look = 0; look < looks.most; look++) {
      await delay(looks.everyMs, undefined, { signal: this.#signal });
      const now = requestsIn(await this.#metrics()) ?? {};
      if (Object.keys(requestsBetween(last, now)).length === 0) return now;
      last = now;
    }
    return last;
  }
}
