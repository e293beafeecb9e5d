import type { DeviceId, Liveness, Mount, Nanoseconds } from './model.ts';
import type { AskRequest, ClockPort, KernelPort } from './ports.ts';

/** A question that a connection is asked: through which mount, and which device is expected to answer. */
export type LivenessQuestion = Omit<AskRequest, 'deadline'>;

/** The question to the connection of a FUSE mount. Without `allow_other` the kernel admits only the user in the mount's options. */
export function questionTo(site: AskRequest['site'], { device, superOptions }: Mount): LivenessQuestion {
  const id = (name: string) =>
    Number(superOptions.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1));
  const [uid, gid] = [id('user_id'), id('group_id')];
  const admitsRoot = superOptions.includes('allow_other') || !(uid + gid > 0);
  return { site, device, ...(admitsRoot ? {} : { user: { uid, gid } }) };
}

/** What an error of a call that a daemon serves says about it. */
export type ErrnoMeaning = 'dead' | 'unknown' | 'answer';

/** `asks`: what statfs decides, liveness and usage; `reads`: the proof. Missing: the daemon's own answer, about a file if a file was read. */
const meanings: Readonly<Record<string, { readonly asks: ErrnoMeaning; readonly reads: ErrnoMeaning }>> = {
  ENOTCONN: { asks: 'dead', reads: 'dead' },
  ECONNABORTED: { asks: 'dead', reads: 'dead' },
  // What this process lacked.
  EINTR: { asks: 'unknown', reads: 'unknown' },
  EMFILE: { asks: 'unknown', reads: 'unknown' },
  ENFILE: { asks: 'unknown', reads: 'unknown' },
  ENOMEM: { asks: 'unknown', reads: 'unknown' },
  ECHILD: { asks: 'unknown', reads: 'unknown' },
  ESRCH: { asks: 'unknown', reads: 'unknown' },
  EAGAIN: { asks: 'unknown', reads: 'answer' },
  // The kernel's for a daemon that has not greeted it, nor will; since Linux 7 also if it died before. Files are read after statfs only.
  ECONNREFUSED: { asks: 'unknown', reads: 'answer' },
};

/** The one table for all three questions. An error of a step before the daemon is asked is always unknown. */
export const meaningOf = (errno: string, question: 'asks' | 'reads'): ErrnoMeaning =>
  Object.hasOwn(meanings, errno) ? (meanings[errno]?.[question] ?? 'answer') : 'answer';

/** How connections answered, with at most one read in progress per device, however many volumes and passes ask. */
export interface LivenessCache {
  /** `after`: a question that was asked before that time is asked once more when it has been answered, unless the answer is final. */
  ask(question: LivenessQuestion, after?: Nanoseconds): Promise<Liveness>;
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
  keptUntil,
  readDeadline,
  firstReadDeadline,
}: {
  readonly keptUntil: (device: DeviceId) => Nanoseconds | undefined;
  readonly kernel: Pick<KernelPort, 'ask'>;
  readonly clock: Pick<ClockPort, 'now'>;
  /** How long a device that has been live before may take. */
  readonly readDeadline: Nanoseconds;
  /** How long a new source mount may take: it is in the table before its daemon answers INIT, and reads wait for that. */
  readonly firstReadDeadline: Nanoseconds;
}): LivenessCache {
  const latest = new Map<DeviceId, Liveness>();
  const inProgress = new Map<DeviceId, { readonly askedAt: Nanoseconds; readonly reading: Promise<Liveness> }>();
  const hasBeenLive = new Set<DeviceId>();

  async function ask(question: LivenessQuestion): Promise<Liveness> {
    const { site, device } = question;
    const timeout = site.kind === 'source' && !hasBeenLive.has(device) ? firstReadDeadline : readDeadline;
    const answer = await kernel.ask({ ...question, deadline: (clock.now() + timeout) as Nanoseconds });
    // Only silence may be explained by a keeper: a connection that a keeper has let go, or died with, answers that it is dead.
    const until = answer.status === 'hung' ? keptUntil(device) : undefined;
    const isKept = until !== undefined && until > clock.now();
    const liveness: Liveness = isKept ? { status: 'kept', until } : answer;
    if (liveness.status === 'live') hasBeenLive.add(device);
    return liveness;
  }

  return {
    ask(question, after) {
      const { device } = question;
      const running = inProgress.get(device);
      if (running !== undefined && (after === undefined || running.askedAt > after)) return running.reading;
      const asked =
        running?.reading.then((liveness) => (liveness.status === 'dead' ? liveness : ask(question))) ?? ask(question);
      const reading = asked.then((liveness) => {
        if (inProgress.get(device)?.reading === reading) inProgress.delete(device);
        if (liveness.status !== 'unknown') latest.set(device, liveness);
        return liveness;
      });
      inProgress.set(device, { askedAt: clock.now(), reading });
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
  readonly #after: Nanoseconds | undefined;
  readonly #asked = new Map<DeviceId, Promise<Liveness>>();
  readonly #answered = new Map<DeviceId, Liveness>();

  /** `after`: when the questions must have been asked. */
  constructor(cache: LivenessCache, after?: Nanoseconds) {
    this.#cache = cache;
    this.#after = after;
  }

  ask(questions: readonly LivenessQuestion[]): void {
    for (const question of questions) {
      const { device } = question;
      if (this.#asked.has(device)) continue;
      const reading = this.#cache.ask(question, this.#after).then((liveness) => {
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

  /** Resolves when all of these questions have been answered. */
  async all(questions: readonly LivenessQuestion[]): Promise<void> {
    await Promise.all(questions.map(({ device }) => this.#asked.get(device)));
  }

  /** Resolves when another of these questions has been answered. */
  async next(questions: readonly LivenessQuestion[]): Promise<void> {
    const open = questions.filter(({ device }) => !this.#answered.has(device));
    await Promise.race(open.map(({ device }) => this.#asked.get(device)));
  }
}
