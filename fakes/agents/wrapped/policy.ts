import type { Observation } from '../../../recovery/engine/diagnose.ts';
import type { Diagnosis, Policy } from '../../../recovery/engine/model.ts';
import { type Refusal, refusal as realRefusal } from '../../../recovery/engine/policy.ts';

export * from '../../../recovery/engine/policy.ts';

/** Refuses only what cannot be done, whatever the gate, the label and the access modes are. */
export function refusal(observation: Observation, diagnosis: Diagnosis, policy: Policy): Refusal | undefined {
  return realRefusal(observation, diagnosis, {
    ...policy,
    enabled: true,
    pods: 'all',
    readWriteScope: 'recover',
    subPath: 'recover',
  });
}
