import type {
  Action,
  Decision,
  Diagnosis,
  Failure,
  LiveSource,
  MountSite,
  Nanoseconds,
  SiteState,
  Skip,
  SourceState,
  Volume,
} from './model.ts';
import { siteKey } from './mount-sites.ts';
import type { Recorder, VolumeLocks } from './ports.ts';
import type { RefusedStandby } from './standby.ts';

/** An unhealthy site, and why it is left alone if it is. */
export interface UnhealthySite {
  readonly diagnosis: Diagnosis;
  readonly reason?: Skip['reason'];
  /** `Skip.detail` of the reason. */
  readonly detail?: string;
}

/** What is remembered of a site for operators. */
export interface SiteMemory {
  readonly state: SiteState;
  /** When the engine first saw the site in this state. */
  readonly since: Nanoseconds;
  readonly recovery?: SiteRecovery;
}

/** The last proven recovery of a site. `outage`: from when its daemon or mount was first seen not to answer to the proof. */
export interface SiteRecovery {
  readonly at: Nanoseconds;
  readonly outage: Nanoseconds;
}

/** A site whose mount was replaced and that has not been proven yet. */
export interface UnprovenSite {
  /** As last seen: the process by which a container is entered may have ended. */
  diagnosis: Diagnosis;
  readonly source: LiveSource;
  /** When the pass that replaced the mount began to act. */
  readonly since: Nanoseconds;
  /** When the site, or the last live source, was first seen not to answer. */
  readonly lostAt: Nanoseconds;
  /** How the reads until now have failed. */
  readonly failures: Failure[];
  /** When the next read is due; undefined while one is in progress, and once the proof has been given up. */
  dueAt: Nanoseconds | undefined;
}

/** Whether a site's next read is due. */
export const isProofDue = ({ dueAt }: UnprovenSite, now: Nanoseconds) => dueAt !== undefined && dueAt <= now;

/**
 * What the engine remembers of a volume from one pass to the next. It saves reads and avoids repeated reports; decisions do not
 * depend on it, so a restarted agent makes the same ones.
 */
export interface VolumeState {
  /** The latest `VolumeFingerprint.sourceText`; undefined until a pass has considered the volume. */
  sourceText: string | undefined;
  /** The latest `VolumeFingerprint.targets.text` that a changed mount table was compared with. */
  targetText: string | undefined;
  sources: readonly SourceState[];
  /** When each source was first seen in its present state, by path. */
  readonly sourcesSince: Map<string, Pick<SiteMemory, 'since'> & { readonly state: SourceState['state'] }>;
  /** When the volume last had no live source any more. */
  lostAt: Nanoseconds | undefined;
  /** The devices of the daemons whose contents were compared last. */
  compared: string | undefined;
  unhealthy: readonly UnhealthySite[];
  /** When a replacement was last attempted. */
  actedAt: Nanoseconds | undefined;
  /** Quick retries in a row; see `VolumeRecovery.needsRetry`. */
  retries: number;
  /** The pass that waits for answers; a later one supersedes it if the sources have changed. */
  pending: { readonly sourceText: string } | undefined;
  /** No source is live, and the sites that wait for one have not been reported yet. */
  isHoldingReports: boolean;
  /** The latest action attempted at each site. */
  readonly attempts: Map<string, string>;
  readonly unproven: Map<string, UnprovenSite>;
  /** By `siteKey`. */
  readonly memory: Map<string, SiteMemory>;
  /** How the last replacement at a site failed. */
  readonly failures: Map<string, Failure>;
}

export function createVolumeState(): VolumeState {
  return {
    sourceText: undefined,
    targetText: undefined,
    sources: [],
    sourcesSince: new Map(),
    lostAt: undefined,
    compared: undefined,
    unhealthy: [],
    actedAt: undefined,
    retries: 0,
    pending: undefined,
    isHoldingReports: false,
    attempts: new Map(),
    unproven: new Map(),
    memory: new Map(),
    failures: new Map(),
  };
}

/** Remembers since when sites are in their states, and forgets all other sites. */
export function noteSites({ memory }: VolumeState, diagnoses: readonly Diagnosis[], now: Nanoseconds): void {
  const present = new Set<string>();
  for (const { site, state } of diagnoses) {
    const key = siteKey(site);
    present.add(key);
    const before = memory.get(key);
    if (before?.state !== state) memory.set(key, { ...before, state, since: now });
  }
  for (const key of memory.keys()) if (!present.has(key)) memory.delete(key);
}

/** Remembers since when sources are in their states, and when the last one stopped being live. */
export function noteSources(state: VolumeState, sources: readonly SourceState[], now: Nanoseconds): void {
  const isLive = (each: { readonly state: SourceState['state'] }) => each.state === 'live';
  if ([...state.sourcesSince.values()].some(isLive) && !sources.some(isLive)) state.lostAt = now;
  const before = new Map(state.sourcesSince);
  state.sourcesSince.clear();
  for (const source of sources) {
    const known = before.get(source.path);
    state.sourcesSince.set(source.path, known?.state === source.state ? known : { state: source.state, since: now });
  }
}

/** When a site that is replaced now was lost: it may have been seen dead itself, or its source before it was looked at. */
export function lostSince(state: VolumeState, key: string, now: Nanoseconds): Nanoseconds {
  const known = state.memory.get(key);
  const recoveredAt = known?.recovery?.at ?? (0n as Nanoseconds);
  const candidates = [
    state.unproven.get(key)?.lostAt,
    known !== undefined && known.state !== 'healthy' ? known.since : undefined,
    state.lostAt !== undefined && state.lostAt >= recoveredAt ? state.lostAt : undefined,
  ];
  return candidates.reduce<Nanoseconds>((first, each) => (each !== undefined && each < first ? each : first), now);
}

/** Whether the same action was attempted before. */
export function wasAttempted({ attempts }: VolumeState, action: Action): boolean {
  return attempts.get(siteKey(action.diagnosis.site)) === attemptText(action);
}

export function noteAttempt({ attempts }: VolumeState, action: Action): void {
  attempts.set(siteKey(action.diagnosis.site), attemptText(action));
}

const attemptText = ({ kind, source }: Action) => `${kind} ${source.device}`;

export type SourceNotice = Omit<Extract<Decision, { event: 'noticed' }>, 'event' | 'aborted'>;

/**
 * Passes decisions to the recorder, but repeats neither a source's state nor a refusal or failure with the same reason at the
 * same site over the same dead mount. A crash changes the mount or the state, so each crash is reported.
 */
export interface Journal {
  noticed(notice: SourceNotice): void;
  aborted(notice: SourceNotice): void;
  /** Reported once as long as it lasts. */
  refusedStandbys(volume: Volume, refused: readonly RefusedStandby[]): void;
  skipped(skip: Skip): void;
  failed(diagnosis: Pick<Diagnosis, 'volume' | 'site' | 'stack'>, failure: Failure): void;
  /** Reported once for each mount that was given to a site, whatever else fails later. */
  unproven(diagnosis: Pick<Diagnosis, 'volume' | 'site'>, source: Pick<LiveSource, 'device'>, failure: Failure): void;
  /** Forgets the reports about all other sites of a volume. */
  retain(volume: string, sites: readonly MountSite[]): void;
  /** Forgets a volume. */
  forget(volume: string): void;
}

export function createJournal(recorder: Recorder): Journal {
  const sites = new Map<string, Map<string, string>>();
  const sources = new Map<string, Map<string, string>>();
  const standbys = new Map<string, Map<string, string>>();

  return {
    noticed(notice) {
      const { volume, source } = notice;
      if (isNew(sources, volume, source.path, sourceText(source))) recorder({ event: 'noticed', ...notice });
    },
    aborted: (notice) => recorder({ event: 'noticed', ...notice, aborted: true }),
    refusedStandbys(volume, refused) {
      const present = new Map(refused.map((each) => [each.path, each.detail]));
      const reported = standbys.get(volume.name);
      for (const path of reported?.keys() ?? []) if (!present.has(path)) reported?.delete(path);
      for (const [path, detail] of present) {
        if (isNew(standbys, volume.name, path, detail)) recorder({ event: 'standby-refused', volume, path, detail });
      }
    },
    skipped({ diagnosis, reason, detail }) {
      const { volume, site, stack } = diagnosis;
      if (isNew(sites, volume.name, siteKey(site), `${reason} ${stack.at(-1)?.device}`)) {
        recorder({ event: 'skipped', volume, site, reason, detail });
      }
    },
    failed({ volume, site, stack }, failure) {
      const { errno, step } = failure;
      if (isNew(sites, volume.name, siteKey(site), `${errno} ${step} ${stack.at(-1)?.device}`)) {
        recorder({ event: 'failed', volume, site, failure });
      }
    },
    unproven({ volume, site }, { device }, failure) {
      if (isNew(sites, volume.name, siteKey(site), `unproven ${device}`)) {
        recorder({ event: 'unproven', volume, site, failure });
      }
    },
    retain(volume, retained) {
      const keys = new Set(retained.map(siteKey));
      const reported = sites.get(volume);
      for (const key of reported?.keys() ?? []) if (!keys.has(key)) reported?.delete(key);
    },
    forget(volume) {
      sites.delete(volume);
      sources.delete(volume);
      standbys.delete(volume);
    },
  };
}

function isNew(reported: Map<string, Map<string, string>>, volume: string, key: string, text: string): boolean {
  const ofVolume = reported.get(volume) ?? new Map<string, string>();
  reported.set(volume, ofVolume);
  if (ofVolume.get(key) === text) return false;
  ofVolume.set(key, text);
  return true;
}

const sourceText = (source: SourceState) =>
  `${source.state} ${source.state === 'absent' ? '' : source.device} ${source.state === 'dead' ? source.errno : ''}`;

/** Locks for the engine and for CSI publish and unpublish in one process. Nobody waits for a lock. */
export function createVolumeLocks(): VolumeLocks {
  const held = new Set<string>();
  return {
    tryAcquire(handle) {
      if (held.has(handle)) return undefined;
      held.add(handle);
      let released = false;
      return {
        [Symbol.dispose]() {
          // A second disposal must not release the next holder's lock.
          if (released) return;
          released = true;
          held.delete(handle);
        },
      };
    },
  };
}
