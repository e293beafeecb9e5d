import { z } from 'zod';
import type { FluidObject } from './custom-objects.ts';
import { list, oneOf, quantity, share, text, wantsObject } from './fields.ts';
import type { Finding, Judged } from './finding.ts';
import { findingsOf } from './finding.ts';

/** What is made of a JindoRuntime. */
export interface RuntimeFacts {
  /** Number of workers. */
  readonly replicas: number;
}

/** More would only be a way to fill the store. */
const mostReplicas = 100;

const level = z
  .object(
    {
      mediumtype: oneOf(['HDD', 'SSD', 'MEM']),
      volumeType: oneOf(['hostPath', 'emptyDir']).optional(),
      path: text
        .refine((path) => !path.includes(','), 'must be exactly one path, not a list')
        .refine((path) => path.startsWith('/'), 'must be an absolute path'),
      quota: quantity.optional(),
      high: share.optional(),
      low: share.optional(),
    },
    wantsObject,
  )
  .superRefine(({ high, low }, context) => {
    if (high === undefined || low === undefined || Number(low) <= Number(high)) return;
    context.addIssue({ code: 'custom', path: ['low'], message: `must not be above high (${high}), but is ${low}` });
  });

const runtimeSpec = z.object(
  {
    replicas: z
      .int({ error: 'must be a whole number, the number of workers' })
      .min(0, 'must not be negative')
      .max(mostReplicas, `must be at most ${mostReplicas}`)
      .optional(),
    tieredstore: z
      .object(
        {
          levels: list(level).superRefine((levels, context) => {
            const [first, ...others] = levels;
            others.forEach((other, index) => {
              const key = other.mediumtype === first?.mediumtype ? 'path' : 'mediumtype';
              const what = key === 'path' ? 'path' : `kind of cache (${first?.mediumtype})`;
              context.addIssue({
                code: 'custom',
                path: [index + 1, key],
                message: `a runtime has exactly one ${what}, and levels[0] has it`,
              });
            });
          }),
        },
        wantsObject,
      )
      .optional(),
  },
  wantsObject,
);

/** Judges a JindoRuntime by the seed document's table (D3, D4). Never throws, whatever the spec is. */
export function validateRuntime({ spec }: Pick<FluidObject, 'spec'>): Judged<RuntimeFacts> {
  const parsed = runtimeSpec.safeParse(spec ?? {});
  if (parsed.success) return { ok: true, value: { replicas: parsed.data.replicas ?? 1 } };
  const findings: readonly Finding[] = findingsOf(parsed.error, 'spec');
  return { ok: false, findings };
}
