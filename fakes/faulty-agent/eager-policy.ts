import type { Diagnosis, NodeView, Policy } from '../../recovery/engine/model.ts';
import { type Refusal, refusal as refuses } from '../../recovery/engine/policy.ts';

export { isLabelled, isReadOnly, type Refusal, recoveryLabel } from '../../recovery/engine/policy.ts';

/** Refuses only what cannot be done. */
export function refusal(view: NodeView, diagnosis: Diagnosis, policy: Policy): Refusal | undefined {
  return refuses(view, diagnosis, {
    ...policy,
    enabled: true,
    pods: 'all',
    readWriteScope: 'recover',
    subPath: 'recover',
  });
}
