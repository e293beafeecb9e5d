import { replacementFor } from './apply.ts';
import { diagnose, type NodeObservation } from './diagnose.ts';
import type { DeviceId, Liveness, Nanoseconds, Policy, SourceState, Volume } from './model.ts';
import { plan } from './plan.ts';
import type { KernelPort, Recorder, Replacement } from './ports.ts';
import type { NodeSnapshot } from './snapshot.ts';
import type { VolumeState } from './volume-state.ts';

/**
 * The replacements in containers that will follow if a volume's active daemon dies while its standby is live: the plan for that moment,
 * made now. A site with mounts inside is left out, because its replacement must contain them, and they may not be held. So are target
 * paths, for which no program waits.
 */
export function failoverReplacements(
  snapshot: NodeSnapshot,
  volume: Volume,
  { sources, policy }: { readonly sources: readonly SourceState[]; readonly policy: Policy },
): readonly Replacement[] {
  const { active, standby } = sourceRoles(snapshot, volume, sources);
  if (active === undefined || standby === undefined) return [];
  const dead = { status: 'dead', errno: 'ENOTCONN' } as const;
  const observation: NodeObservation = {
    snapshot,
    sources: new Map([[volume.name, [standby]]]),
    liveness: new Map([[active.device, dead]]),
  };
  return plan(observation, diagnose(observation), policy).flatMap((step) => {
    const { site, below } = step.diagnosis;
    if (step.kind !== 'replace' || site.kind !== 'container' || below.length > 0) return [];
    return [replacementFor(step, snapshot)];
  });
}

/** The answers that make a failover follow: the active daemon is dead, and its standby answers. Undefined if there is no live standby. */
export function expectedAnswers(
  snapshot: NodeSnapshot,
  volume: Volume,
  sources: readonly SourceState[],
): ReadonlyMap<DeviceId, Liveness> | undefined {
  const { active, standby } = sourceRoles(snapshot, volume, sources);
  if (active === undefined || standby === undefined) return undefined;
  return new Map<DeviceId, Liveness>([
    [active.device, { status: 'dead', errno: 'ENOTCONN' }],
    [standby.device, { status: 'live' }],
  ]);
}

type PresentSource = Exclude<SourceState, { state: 'absent' }>;

/** The active source of a volume, whatever its state, and the standby that follows if it dies. */
function sourceRoles(
  snapshot: NodeSnapshot,
  volume: Volume,
  sources: readonly SourceState[],
): { readonly active: PresentSource | undefined; readonly standby: PresentSource | undefined } {
  const device = snapshot.activeDevice(volume);
  const known = new Map(sources.map((each) => [each.path, each]));
  const present = snapshot
    .sourcePaths(volume)
    .flatMap((path) => known.get(path) ?? [])
    .filter((each) => each.state !== 'absent');
  return {
    active: present.find((each) => each.device === device),
    standby: present.find((each) => each.state === 'live' && each.device !== device),
  };
}

export interface ComparisonParts {
  readonly kernel: Pick<KernelPort, 'read'>;
  readonly recorder: Recorder;
  readonly deadline: Nanoseconds;
}

/**
 * Lists the roots of a volume's active source and of its standby, once for each pair of daemons and while both live, as a dead one cannot
 * be listed any more. A difference is reported and changes nothing; a listing that fails is not.
 */
export async function compareContents(
  { kernel, recorder, deadline }: ComparisonParts,
  snapshot: NodeSnapshot,
  { volume, state }: { readonly volume: Volume; readonly state: Pick<VolumeState, 'sources' | 'compared'> },
): Promise<void> {
  const { active, standby } = sourceRoles(snapshot, volume, state.sources);
  if (active?.state !== 'live' || standby === undefined) return;
  const pair = [active.device, standby.device].sort().join();
  if (state.compared === pair) return;
  state.compared = pair;
  const [shown, other] = await Promise.all([active, standby].map(listing));
  if (shown === undefined || other === undefined || shown === other) return;
  recorder({ event: 'standby-differs', volume, active: active.path, standby: standby.path });

  async function listing({ path, device }: { readonly path: string; readonly device: DeviceId }) {
    const answer = await kernel.read({ site: { kind: 'source', path }, device, deadline });
    return answer.ok && answer.value.device === device ? answer.value.listing : undefined;
  }
}

interface FailoverPlan {
  readonly inputs: readonly unknown[];
  readonly replacements: readonly Replacement[];
}

/** Plans failovers, and again only if something has changed. Equal plans are the same array. */
export function createFailoverPlans(): (
  snapshot: NodeSnapshot,
  states: ReadonlyMap<string, Pick<VolumeState, 'sources'>>,
  policy: Policy,
) => readonly Replacement[] {
  const plans = new Map<string, FailoverPlan>();
  let all: { readonly parts: readonly FailoverPlan[]; readonly replacements: readonly Replacement[] } | undefined;

  return (snapshot, states, policy) => {
    const names = new Set(snapshot.volumes.map(({ name }) => name));
    for (const name of plans.keys()) if (!names.has(name)) plans.delete(name);
    const parts = snapshot.volumes.flatMap((volume): FailoverPlan[] => {
      const { name } = volume;
      const { sources } = states.get(name) ?? {};
      if (sources === undefined || snapshot.standbys(volume).paths.length === 0) return [];
      const inputs = [snapshot.sites(volume), volume, policy, JSON.stringify(sources)];
      const before = plans.get(name);
      const isSame = before?.inputs.every((input, index) => input === inputs[index]) === true;
      const part = isSame
        ? before
        : { inputs, replacements: failoverReplacements(snapshot, volume, { sources, policy }) };
      plans.set(name, part);
      return [part];
    });
    const isSame = all?.parts.length === parts.length && parts.every((part, index) => part === all?.parts[index]);
    if (!isSame || all === undefined) all = { parts, replacements: parts.flatMap(({ replacements }) => replacements) };
    return all.replacements;
  };
}
