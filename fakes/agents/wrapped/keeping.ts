import type { Nanoseconds } from '../../../recovery/engine/model.ts';
import { stepKeeping as stepReal } from '../../../recovery/keeper/keeping.ts';

export * from '../../../recovery/keeper/keeping.ts';

/** Does not give up before ten times the deadline. */
export const stepKeeping: typeof stepReal = (keeping, event, { now, deadline }) =>
  stepReal(keeping, event, { now, deadline: (deadline * 10n) as Nanoseconds });
