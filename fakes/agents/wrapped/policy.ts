import type { NodeObservation } from '../../../recovery/engine/diagnose.ts';
import type { Diagnosis, Policy } from '../../../recovery/engine/model.ts';
import { siteKey } from '../../../recovery/engine/mount-sites.ts';
import { type PolicyRefusal, refusal as realRefusal } from '../../../recovery/engine/policy.ts';

export * from '../../../recovery/engine/policy.ts';

type Decide = typeof realRefusal;

/** Refuses only what cannot be done, whatever the gate, the label and the access modes are. */
const permit: Decide = (observation, diagnosis, policy) =>
  realRefusal(observation, diagnosis, {
    ...policy,
    enabled: true,
    pods: 'all',
    readWriteScope: 'recover',
    subPath: 'recover',
  });

const patienceMs = 8_000;
const refusedSince = new Map<string, number>();

/** Obeys every limit for a while after it first refused a site. */
const permitLater: Decide = (observation, diagnosis, policy) => {
  const key = siteKey(diagnosis.site);
  const since = refusedSince.get(key) ?? performance.now();
  refusedSince.set(key, since);
  return performance.now() - since < patienceMs
    ? realRefusal(observation, diagnosis, policy)
    : permit(observation, diagnosis, policy);
};

/** Leaves all pods of a volume alone but the first one by name. */
const permitFirst: Decide = (observation, diagnosis, policy) => {
  const { site, volume } = diagnosis;
  const real = realRefusal(observation, diagnosis, policy);
  if (real !== undefined) return real;
  const pods = observation.snapshot.pods.filter(({ volumes }) => volumes.includes(volume.name));
  const [first] = pods.toSorted((a, b) => a.name.localeCompare(b.name));
  return first?.uid === site.podUid ? undefined : { reason: 'source-not-live', detail: 'another pod comes first' };
};

const variants: Readonly<Record<string, Decide>> = { later: permitLater, first: permitFirst };
const decide = variants[new URL(import.meta.url).search.slice(1)] ?? permit;

/** Chosen by the query of this module's URL: `?later`, `?first`, or none. */
export function refusal(observation: NodeObservation, diagnosis: Diagnosis, policy: Policy): PolicyRefusal | undefined {
  return decide(observation, diagnosis, policy);
}
