/** When the dead pods of a group read again: none before `from` and its own replacement, each `stepMs` after the one before. */
export interface GroupReturn {
  readonly from: number;
  readonly baseMs: number;
  readonly stepMs: number;
  /** Pods that would read only after this stay dead. */
  readonly before: number;
}

/** Called at the end of a pod's outage. */
export type OutageEnd = (began: number, ended: number, kind: number) => void;

/** The pods of one dataset on one node. Its arrays are used for one node after another, because allocating them takes long. */
export class PodGroup {
  /** When each pod's outage began; negative if it reads. */
  readonly #since: Float64Array;
  readonly #kind: Uint8Array;
  readonly #replacedAt: Float64Array;
  readonly #downtime: Float64Array;
  #pods = 0;
  #dead = 0;

  constructor(mostPods: number) {
    this.#since = new Float64Array(mostPods);
    this.#kind = new Uint8Array(mostPods);
    this.#replacedAt = new Float64Array(mostPods);
    this.#downtime = new Float64Array(mostPods);
  }

  /** Begins with pods that read. */
  reset(pods: number): void {
    this.#pods = pods;
    this.#dead = 0;
    this.#since.fill(-1);
    this.#replacedAt.fill(0);
    this.#downtime.fill(0);
  }

  get dead(): number {
    return this.#dead;
  }

  /** Milliseconds, a figure for each pod. */
  get downtimes(): Float64Array {
    return this.#downtime.subarray(0, this.#pods);
  }

  /** The pods that read stop doing so. `replacedAfter`: how long until something replaces a pod. */
  fail(at: number, kind: number, replacedAfter?: () => number): void {
    for (let pod = 0; pod < this.#pods; pod++) {
      if (this.#isDead(pod)) continue;
      this.#since[pod] = at;
      this.#kind[pod] = kind;
      if (replacedAfter) this.#replacedAt[pod] = at + replacedAfter();
    }
    this.#dead = this.#pods;
  }

  /** Returns the number of pods that read again. */
  recover({ from, baseMs, stepMs, before }: GroupReturn, onEnd: OutageEnd): number {
    const dead = this.#dead;
    for (let pod = 0, order = 0; pod < this.#pods; pod++) {
      if (!this.#isDead(pod)) continue;
      const at = Math.max(from, this.#replacedAt[pod] ?? 0) + baseMs + stepMs * order++;
      if (at < before) this.#end(pod, at, onEnd);
    }
    return dead - this.#dead;
  }

  /** All dead pods are replaced, or the forecast ends. */
  endAll(at: number, onEnd: OutageEnd): void {
    for (let pod = 0; pod < this.#pods && this.#dead > 0; pod++) if (this.#isDead(pod)) this.#end(pod, at, onEnd);
  }

  #isDead(pod: number): boolean {
    return (this.#since[pod] ?? -1) >= 0;
  }

  #end(pod: number, at: number, onEnd: OutageEnd): void {
    const began = this.#since[pod] ?? 0;
    this.#downtime[pod] = (this.#downtime[pod] ?? 0) + at - began;
    this.#since[pod] = -1;
    this.#dead--;
    onEnd(began, at, this.#kind[pod] ?? 0);
  }
}
