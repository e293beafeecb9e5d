import type { KnownLiveness } from './diagnose.ts';
import { diagnose, observe, observedSources } from './diagnose.ts';
import type { Diagnosis, Failure, Nanoseconds, Policy, SiteState, Skip, SourceState, Volume } from './model.ts';
import { siteKey } from './mount-sites.ts';
import { plan } from './plan.ts';
import { formatFailure, formatUnproven } from './record.ts';
import type { NodeSnapshot } from './snapshot.ts';
import { noteSites, type SiteRecovery, type VolumeState } from './volume-state.ts';

/** `replaced`: it shows the live source, but its consumer has not been seen to read since. */
export type ReportedState = SiteState | 'replaced';

/** What the engine knows of one mount site. */
export interface SiteStatus {
  readonly diagnosis: Diagnosis;
  readonly state: ReportedState;
  readonly since: Nanoseconds;
  /** Why the site is left alone. */
  readonly reason?: Skip['reason'];
  /** What is wrong, and what the user can do about it. */
  readonly detail?: string;
  readonly recovery?: SiteRecovery;
}

export interface VolumeStatus {
  readonly volume: Volume;
  readonly sources: readonly (SourceState & { readonly since: Nanoseconds })[];
  readonly sites: readonly SiteStatus[];
}

/**
 * The status of a volume by the diagnosis and the plan that a pass would make now of what is known. Asks no daemon. Until a source has
 * answered for the first time its sites are `unknown`.
 */
export function volumeStatus(
  { snapshot, liveness, policy, now }: StatusParts,
  volume: Volume,
  state: VolumeState,
): VolumeStatus {
  const observation = observe(snapshot, [volume], liveness);
  const diagnoses = diagnose(observation);
  noteSites(state, diagnoses, now);
  const planned = plan(observation, diagnoses, policy).filter((step) => step.kind === 'skip');
  const refused = new Map(
    [...planned, ...state.unhealthy].map(({ diagnosis, reason, detail }) => [
      siteKey(diagnosis.site),
      { reason, detail },
    ]),
  );
  const sources = observedSources(observation, volume).map((source) => {
    const known = state.sourcesSince.get(source.path);
    return { ...source, since: known?.state === source.state ? known.since : now };
  });
  const sites = diagnoses.map((diagnosis): SiteStatus => {
    const key = siteKey(diagnosis.site);
    const { since = now, recovery } = state.memory.get(key) ?? {};
    const common = { diagnosis, since, ...(recovery === undefined ? {} : { recovery }) };
    const unproven = state.unproven.get(key);
    if (diagnosis.state === 'healthy') {
      if (unproven === undefined) return { ...common, state: 'healthy' };
      const failure = unproven.failures.at(-1);
      const detail = failure === undefined ? 'its first read continues' : formatUnproven(failure);
      return { ...common, state: 'replaced', since: unproven.since, detail };
    }
    const { reason, detail = unrefusedDetail(diagnosis.state, state.failures.get(key)) } = refused.get(key) ?? {};
    return {
      ...common,
      state: diagnosis.state,
      ...(reason === undefined ? {} : { reason }),
      ...(detail === undefined ? {} : { detail }),
    };
  });
  return { volume, sources, sites };
}

export interface StatusParts {
  readonly snapshot: NodeSnapshot;
  readonly liveness: KnownLiveness;
  readonly policy: Policy;
  readonly now: Nanoseconds;
}

/** What is wrong at a site that is not refused. */
function unrefusedDetail(state: SiteState, failure: Failure | undefined): string | undefined {
  if (failure !== undefined) return formatFailure(failure);
  if (state === 'kept') return 'a keeper holds its connection for the next daemon: look at the FUSE pod';
  if (state === 'unknown')
    return "its daemon could not be asked, or has not answered yet: look at the agent's log if it stays so";
  return undefined;
}
