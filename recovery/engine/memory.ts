import type { Action, Diagnosis, LiveSource, Nanoseconds, Skip, SourceState } from './model.ts';
import { siteKey } from './places.ts';

/** A site that is not well, and why nothing is done about it where that is so. */
export interface Unwell {
  readonly diagnosis: Diagnosis;
  readonly reason?: Skip['reason'];
}

/** A replaced site that no read has proven yet. */
export interface Unverified {
  readonly diagnosis: Diagnosis;
  readonly source: LiveSource;
  /** When the pass that replaced it set to work. */
  readonly began: Nanoseconds;
  /** A read is under way. */
  proving: boolean;
}

/**
 * What the engine remembers of a volume between two passes. It saves reads and keeps the log quiet; a restarted agent
 * decides the same without it.
 */
export interface Memory {
  /** As `Sight` had them last; undefined before it was looked at. */
  sourceSignature: string | undefined;
  targetSignature: string | undefined;
  sources: readonly SourceState[];
  unwell: readonly Unwell[];
  /** When a mount of the volume was last replaced. */
  actedAt: Nanoseconds | undefined;
  /** Quick retries in a row: the lock was held, or the table changed under the hand. */
  retries: number;
  /** The walk that waits for reads, if any: a later one takes its site where the sources have changed. */
  asking: { readonly sourceSignature: string } | undefined;
  /** No source is live, and of the sites that wait for one nothing has been said yet. */
  holds: boolean;
  /** By site, the last thing tried there. */
  readonly tried: Map<string, string>;
  readonly unverified: Map<string, Unverified>;
}

export function createMemory(): Memory {
  return {
    sourceSignature: undefined,
    targetSignature: undefined,
    sources: [],
    unwell: [],
    actedAt: undefined,
    retries: 0,
    asking: undefined,
    holds: false,
    tried: new Map(),
    unverified: new Map(),
  };
}

/** Whether the same action was taken before: a change of the mount table, which may be its own doing, does not repeat it. */
export function wasTried({ tried }: Memory, action: Action): boolean {
  return tried.get(siteKey(action.diagnosis.site)) === attempt(action);
}

export function markTried({ tried }: Memory, action: Action): void {
  tried.set(siteKey(action.diagnosis.site), attempt(action));
}

const attempt = ({ kind, source }: Action) => `${kind} ${source.device}`;
