import type { ScenarioRecord } from '../timeline/record.ts';
import { defineCheck, fail, pass } from './check.ts';

export interface RequiredClaims {
  readonly required: readonly string[];
  /** All scenarios of the run. */
  readonly scenarios: readonly Pick<ScenarioRecord, 'name' | 'claims' | 'status' | 'reason'>[];
}

/** Each required claim was judged by at least one scenario, however it was judged. */
export const judgesRequiredClaims = defineCheck(
  {
    name: 'no required claim was skipped',
    claims: ({ required }: RequiredClaims) => required,
  },
  ({ required, scenarios }: RequiredClaims) => {
    for (const claim of required) {
      const own = scenarios.filter(({ claims }) => claims.includes(claim));
      if (own.some(({ status }) => status !== 'skipped')) continue;
      const [first] = own;
      return fail(
        first === undefined
          ? `no scenario of ${claim} was selected`
          : `${claim} was skipped: “${first.name}”: ${first.reason ?? 'no reason is known'}`,
      );
    }
    return pass(`${required.join(', ')}: each was judged`);
  },
);
