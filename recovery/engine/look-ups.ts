import type { Container, LookUp, Nanoseconds, VolumeRecord } from './model.ts';
import type { ClockPort, KernelPort } from './ports.ts';

/** The answers to look-ups by key. */
export type LookUpAnswers = ReadonlyMap<string, VolumeRecord | { readonly mountPoint: string }>;

export function lookUpKey(lookUp: LookUp): string {
  if (lookUp.kind === 'record') return `record\0${lookUp.target}`;
  const { pid, mountNamespace } = lookUp.container;
  return `mount\0${pid}\0${mountNamespace}\0${lookUp.path}`;
}

export function recordAt(answers: LookUpAnswers, target: string): VolumeRecord | undefined {
  const answer = answers.get(lookUpKey({ kind: 'record', target }));
  return answer === undefined || 'mountPoint' in answer ? undefined : answer;
}

/** The mount point to which a path of a container leads. */
export function mountPointAt(answers: LookUpAnswers, container: Container, path: string): string | undefined {
  const answer = answers.get(lookUpKey({ kind: 'mount', container, path }));
  return answer !== undefined && 'mountPoint' in answer ? answer.mountPoint : undefined;
}

/** A look-up that failed is not repeated before this time. */
const retryDelay = 10_000_000_000n;

/** Makes look-ups, and remembers their answers as long as what they are about exists, because files and links do not change. */
export class LookUps {
  readonly #kernel: Pick<KernelPort, 'lookUp'>;
  readonly #clock: Pick<ClockPort, 'now'>;
  readonly #failedAt = new Map<string, Nanoseconds>();
  readonly #inProgress = new Map<string, Promise<void>>();
  /** Replaced by each change, as snapshots refer to it. */
  #answers: LookUpAnswers = new Map();

  constructor({
    kernel,
    clock,
  }: { readonly kernel: Pick<KernelPort, 'lookUp'>; readonly clock: Pick<ClockPort, 'now'> }) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  get answers(): LookUpAnswers {
    return this.#answers;
  }

  /** Those that have no answer and have not failed lately. */
  open(lookUps: readonly LookUp[]): readonly LookUp[] {
    const now = this.#clock.now();
    return lookUps.filter((lookUp) => {
      const key = lookUpKey(lookUp);
      const failedAt = this.#failedAt.get(key);
      return !this.#answers.has(key) && (failedAt === undefined || now - failedAt >= retryDelay);
    });
  }

  /** Resolves when all of them have been answered or have failed. */
  async ask(lookUps: readonly LookUp[]): Promise<void> {
    await Promise.all(lookUps.map((lookUp) => this.#inProgress.get(lookUpKey(lookUp)) ?? this.#ask(lookUp)));
  }

  /** Forgets all other look-ups. */
  retain(lookUps: readonly LookUp[]): void {
    const keys = new Set(lookUps.map(lookUpKey));
    for (const key of this.#failedAt.keys()) if (!keys.has(key)) this.#failedAt.delete(key);
    if ([...this.#answers.keys()].some((key) => !keys.has(key)))
      this.#answers = new Map([...this.#answers].filter(([key]) => keys.has(key)));
  }

  #ask(lookUp: LookUp): Promise<void> {
    const key = lookUpKey(lookUp);
    const asked = this.#kernel.lookUp(lookUp).then((result) => {
      this.#inProgress.delete(key);
      if (result.ok) this.#answers = new Map([...this.#answers, [key, result.value]]);
      else this.#failedAt.set(key, this.#clock.now());
    });
    this.#inProgress.set(key, asked);
    return asked;
  }
}
