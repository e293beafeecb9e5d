import type { Action, Diagnosis, LiveSource, Nanoseconds, Skip, SourceState } from './model.ts';
import { siteKey } from './mount-sites.ts';

/** An unhealthy site, and why it is left alone if it is. */
export interface UnhealthySite {
  readonly diagnosis: Diagnosis;
  readonly reason?: Skip['reason'];
}

/** A site whose mount was replaced and that has not been proven yet. */
export interface UnprovenSite {
  readonly diagnosis: Diagnosis;
  readonly source: LiveSource;
  /** When the pass that replaced the mount began to act. */
  readonly since: Nanoseconds;
  /** Whether a proof is in progress. */
  isProving: boolean;
}

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
  unhealthy: readonly UnhealthySite[];
  /** When a replacement was last attempted. */
  actedAt: Nanoseconds | undefined;
  /** Quick retries in a row; see `Recovery.needsRetry`. */
  retries: number;
  /** The pass that waits for answers; a later one supersedes it if the sources have changed. */
  pending: { readonly sourceText: string } | undefined;
  /** No source is live, and the sites that wait for one have not been reported yet. */
  isHoldingReports: boolean;
  /** The latest action attempted at each site. */
  readonly attempts: Map<string, string>;
  readonly unproven: Map<string, UnprovenSite>;
}

export function createVolumeState(): VolumeState {
  return {
    sourceText: undefined,
    targetText: undefined,
    sources: [],
    unhealthy: [],
    actedAt: undefined,
    retries: 0,
    pending: undefined,
    isHoldingReports: false,
    attempts: new Map(),
    unproven: new Map(),
  };
}

/** Whether the same action was attempted before. */
export function wasAttempted({ attempts }: VolumeState, action: Action): boolean {
  return attempts.get(siteKey(action.diagnosis.site)) === attemptText(action);
}

export function noteAttempt({ attempts }: VolumeState, action: Action): void {
  attempts.set(siteKey(action.diagnosis.site), attemptText(action));
}

const attemptText = ({ kind, source }: Action) => `${kind} ${source.device}`;
