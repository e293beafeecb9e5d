import type { DeviceId, Liveness, Nanoseconds } from './model.ts';
import type { ClockPort, KernelPort, ReadRequest } from './ports.ts';

/** A question that a connection is asked: through which mount, and which device is expected to answer. */
export type LivenessQuestion = Pick<ReadRequest, 'site' | 'device'>;

/** How connections answered, with at most one read in progress per device, however many volumes and passes ask. */
export interface LivenessCache {
  ask(question: LivenessQuestion): Promise<Liveness>;
  /** The latest answer of a device, which an unsuccessful question does not change. */
  get(device: DeviceId): Liveness | undefined;
  /** Whether the device has been live at least once. */
  hasBeenLive(device: DeviceId): boolean;
  /** Forgets all other devices, as the kernel may reuse their numbers. */
  retain(devices: ReadonlySet<DeviceId>): void;
}

export function createLivenessCache({
  kernel,
  clock,
  readDeadline,
  firstReadDeadline,
}: {
  readonly kernel: Pick<KernelPort, 'read'>;
  readonly clock: Pick<ClockPort, 'now'>;
  /** How long a device that has been live before may take. */
  readonly readDeadline: Nanoseconds;
  /** How long a new source mount may take: it is in the table before its daemon answers INIT, and reads wait for that. */
  readonly firstReadDeadline: Nanoseconds;
}): LivenessCache {
  const latest = new Map<DeviceId, Liveness>();
  const inProgress = new Map<DeviceId, Promise<Liveness>>();
  const hasBeenLive = new Set<DeviceId>();

  async function read({ device, site }: LivenessQuestion): Promise<Liveness> {
    const askedAt = clock.now();
    const timeout = site.kind === 'source' && !hasBeenLive.has(device) ? firstReadDeadline : readDeadline;
    // Asks only whether the daemon answers; whether its files can be read is for the consumer's own read to prove.
    const deadline = (askedAt + timeout) as Nanoseconds;
    const result = await kernel.read({ site, device, proof: 'answer', deadline });
    if (result.ok && result.value.device !== device) return { status: 'unknown', errno: 'ESTALE' };
    if (result.ok) {
      hasBeenLive.add(device);
      return { status: 'live' };
    }
    const { errno } = result.failure;
    if (errno === 'ENOTCONN' || errno === 'ECONNABORTED') return { status: 'dead', errno };
    if (errno !== 'ETIMEDOUT') return { status: 'unknown', errno };
    const before = latest.get(device);
    return { status: 'hung', since: before?.status === 'hung' ? before.since : askedAt };
  }

  return {
    ask(question) {
      const { device } = question;
      const reading =
        inProgress.get(device) ??
        read(question).then((liveness) => {
          inProgress.delete(device);
          if (liveness.status !== 'unknown') latest.set(device, liveness);
          return liveness;
        });
      inProgress.set(device, reading);
      return reading;
    },
    get: (device) => latest.get(device),
    hasBeenLive: (device) => hasBeenLive.has(device),
    retain(devices) {
      for (const device of latest.keys()) if (!devices.has(device)) latest.delete(device);
      for (const device of hasBeenLive) if (!devices.has(device)) hasBeenLive.delete(device);
    },
  };
}

/** What has to be asked before a volume can be diagnosed. */
export interface VolumeQuestions {
  readonly sources: readonly LivenessQuestion[];
  /** Devices that are visible at the volume's sites and at none of its sources. */
  readonly sites: readonly LivenessQuestion[];
  /** Devices that are visible at the volume's sites. */
  readonly visible: ReadonlySet<DeviceId>;
}

/** The answers of one pass over a volume. Each device is asked once in it. */
export class VolumeAnswers {
  readonly #cache: LivenessCache;
  readonly #asked = new Map<DeviceId, Promise<Liveness>>();
  readonly #answered = new Map<DeviceId, Liveness>();

  constructor(cache: LivenessCache) {
    this.#cache = cache;
  }

  ask(questions: readonly LivenessQuestion[]): void {
    for (const question of questions) {
      const { device } = question;
      if (this.#asked.has(device)) continue;
      const reading = this.#cache.ask(question).then((liveness) => {
        this.#answered.set(device, liveness);
        return liveness;
      });
      this.#asked.set(device, reading);
    }
  }

  /** The answer in this pass or, for a device that it has not asked, an earlier one if that is final. */
  get(device: DeviceId): Liveness | undefined {
    const before = this.#cache.get(device);
    return this.#answered.get(device) ?? (before?.status === 'dead' && !this.#asked.has(device) ? before : undefined);
  }

  /** Whether one source is live or all have answered. */
  isEnough(sources: readonly LivenessQuestion[]): boolean {
    return (
      sources.some(({ device }) => this.#answered.get(device)?.status === 'live') ||
      sources.every(({ device }) => this.#answered.has(device))
    );
  }

  /** Whether the sources have answered, and every device that is visible at a site. */
  isComplete({ sources, sites, visible }: VolumeQuestions): boolean {
    const needed = [...sites, ...sources.filter(({ device }) => visible.has(device))];
    return this.isEnough(sources) && needed.every(({ device }) => this.#answered.has(device));
  }

  /** Resolves when another of these questions has been answered. */
  async next(questions: readonly LivenessQuestion[]): Promise<void> {
    const open = questions.filter(({ device }) => !this.#answered.has(device));
    await Promise.race(open.map(({ device }) => this.#asked.get(device)));
  }
}
