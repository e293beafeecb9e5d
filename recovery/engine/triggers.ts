import { hasStaleMount, type SourceMount, sourceMounts } from './diagnose.ts';
import type { Mount, Nanoseconds, Trigger, Volume } from './model.ts';
import type { ContainerScope } from './ports.ts';
import type { NodeSnapshot, SnapshotCache } from './snapshot.ts';
import type { VolumeState } from './volume-state.ts';

/** After an outage begins, waiting sites are not reported for this long, as most daemons are back by then. */
export const reportDelay = 500_000_000n as Nanoseconds;
/** After a replacement, resyncs scan all processes for this long: a container that was just being created may hold the dead mount. */
const settlePeriod = 30_000_000_000n as Nanoseconds;
/** All tables are read at least this often, in case a change was missed. */
const fullScanPeriod = 60_000_000_000n as Nanoseconds;

/** A volume's mounts on the node as text, which shows without a read whether a pass has to examine the volume. */
export class VolumeFingerprint {
  readonly snapshot: NodeSnapshot;
  readonly volume: Volume;
  readonly sources: readonly SourceMount[];
  /** Equal texts mean the same source mounts. */
  readonly sourceText: string;
  #targets: { readonly text: string; readonly hasStaleMount: boolean } | undefined;

  constructor(snapshot: NodeSnapshot, volume: Volume) {
    this.snapshot = snapshot;
    this.volume = volume;
    this.sources = sourceMounts(snapshot, volume);
    const refused = snapshot.standbys(volume).refused.map(({ path, device }) => `${path}!${device}`);
    this.sourceText = [...this.sources.map(({ path, mount }) => `${path}=${mountText(mount)}`), ...refused].join(' ');
  }

  /** The target paths; computed on first use. Equal texts mean the same mounts. */
  get targets(): { readonly text: string; readonly hasStaleMount: boolean } {
    if (this.#targets === undefined) {
      const sites = this.snapshot.targetSites(this.volume);
      const text = sites.map(({ site, stack }) => `${site.path}=${stack.map(mountText).join('+')}`).join(' ');
      this.#targets = { text, hasStaleMount: hasStaleMount(this.snapshot, this.sources, sites) };
    }
    return this.#targets;
  }

  /** Whether any site of the volume, in containers too, shows a FUSE mount that is at no source. */
  hasStaleMountAnywhere(): boolean {
    return hasStaleMount(this.snapshot, this.sources, this.snapshot.sites(this.volume));
  }

  get hasSourceMount(): boolean {
    return this.sources.some(({ mount }) => mount !== undefined);
  }
}

const mountText = (mount: Mount | undefined) => (mount === undefined ? '' : `${mount.id}:${mount.device}`);

/** A volume that a pass may examine. */
export interface Candidate {
  readonly fingerprint: VolumeFingerprint;
  readonly state: VolumeState;
  /** No pass has considered the volume before. */
  readonly isNew: boolean;
  readonly hasSourceChanged: boolean;
}

interface ScanContext {
  readonly now: Nanoseconds;
  readonly snapshots: Pick<SnapshotCache, 'containersReadAt' | 'fullScanAt'>;
  /** The volumes that the pass examines. */
  readonly examined: readonly Candidate[];
}

/** What a trigger makes a pass do. */
export interface TriggerRule {
  /** Whether the pass examines a volume, which takes a read of its sources. */
  readonly examines: (candidate: Candidate) => boolean;
  /** Scans the containers before volumes are selected. */
  readonly scansFirst?: true;
  /** How thoroughly containers are scanned; undefined: their tables as last read are recent enough. */
  readonly scan: (context: ScanContext) => ContainerScope | undefined;
  /** Reports what the sources answered before it scans containers, rather than scanning while they are being asked. */
  readonly reportsBeforeScan?: true;
  /** Asks the sources after the pass has begun, and supersedes a pass that has asked them before. */
  readonly asksAnew?: true;
  /** Ends early for volumes whose sources, sites and containers are unchanged. */
  readonly skipsUnchanged?: true;
  /** Reports waiting sites of a volume without a live source only after `reportDelay`. */
  readonly holdsReports?: true;
  /** Repeats actions that were attempted before. The others do not, as their cause may be the attempt itself. */
  readonly repeatsAttempts?: true;
  /** The pass itself is reported even if no volume was examined. */
  readonly reportsIdlePass?: true;
}

export const triggerRules: Readonly<Record<Trigger, TriggerRule>> = {
  start: {
    examines: () => true,
    scan: () => 'fresh',
    repeatsAttempts: true,
    reportsIdlePass: true,
  },
  'daemon-exit': {
    examines: () => true,
    // While the daemon is down there is time to find its consumers; once it is back there is none.
    scan: () => 'new',
    reportsBeforeScan: true,
    asksAnew: true,
    holdsReports: true,
    repeatsAttempts: true,
  },
  'mount-table': {
    examines: (candidate) =>
      candidate.isNew ||
      candidate.hasSourceChanged ||
      candidate.state.retries > 0 ||
      (noteTargetChange(candidate) && candidate.fingerprint.targets.hasStaleMount),
    // A daemon that unmounts before it exits has left the table before its exit is noticed.
    scan: ({ now, snapshots, examined }) => {
      const isOutage = examined.length > 0 && examined.every(({ fingerprint }) => !fingerprint.hasSourceMount);
      return isOutage && now - snapshots.containersReadAt >= reportDelay ? 'new' : undefined;
    },
    holdsReports: true,
  },
  kubernetes: {
    examines: ({ isNew, state, fingerprint }) =>
      isNew || state.unhealthy.length > 0 || fingerprint.targets.hasStaleMount,
    scan: () => undefined,
    repeatsAttempts: true,
  },
  /** Follows a replacement, to find mounts that the containers' tables did not show at the time. */
  confirm: {
    scansFirst: true,
    // After a failover the dead daemon's mount is still at its source, so that a container that shows it does not look stale.
    examines: ({ state, fingerprint }) =>
      state.unproven.size > 0 ||
      fingerprint.hasStaleMountAnywhere() ||
      state.sources.some((source) => source.state === 'dead'),
    scan: () => undefined,
  },
  resync: {
    examines: () => true,
    scan: ({ now, snapshots: { fullScanAt }, examined }) => {
      if (fullScanAt === undefined || now - fullScanAt >= fullScanPeriod) return 'fresh';
      // Its containers must be known before a daemon dies.
      const hasStandby = ({ fingerprint: { snapshot, volume } }: Candidate) =>
        snapshot.standbys(volume).paths.length > 0;
      const isSettling = ({ state: { actedAt } }: Candidate) => actedAt !== undefined && now - actedAt < settlePeriod;
      const needsScan = (each: Candidate) => isSettling(each) || hasStandby(each) || each.state.unhealthy.length > 0;
      return examined.some(needsScan) ? 'new' : undefined;
    },
    skipsUnchanged: true,
    repeatsAttempts: true,
    reportsIdlePass: true,
  },
};

/** Compares a volume with the previous pass, and remembers it for the next one. */
export function createCandidate(fingerprint: VolumeFingerprint, state: VolumeState): Candidate {
  const isNew = state.sourceText === undefined;
  const hasSourceChanged = state.sourceText !== fingerprint.sourceText;
  state.sourceText = fingerprint.sourceText;
  return { fingerprint, state, isNew, hasSourceChanged };
}

function noteTargetChange({ fingerprint, state }: Candidate): boolean {
  const { text } = fingerprint.targets;
  const hasChanged = state.targetText !== text;
  state.targetText = text;
  return hasChanged;
}
