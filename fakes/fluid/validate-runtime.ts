import { z } from 'zod';
import {
  fraction,
  list,
  nonEmptyString,
  objectErrors,
  oneOf,
  quantity,
  toFieldErrors,
  type Validation,
} from './fields.ts';
import type { FluidObject } from './names.ts';

/** What the controllers need of a valid JindoRuntime. */
export interface RuntimeSettings {
  /** Number of workers. */
  readonly replicas: number;
}

/** An arbitrary limit: workers cost memory and do nothing. */
const maxReplicas = 100;

const level = z
  .object(
    {
      mediumtype: oneOf(['HDD', 'SSD', 'MEM']),
      volumeType: oneOf(['hostPath', 'emptyDir']).optional(),
      path: nonEmptyString
        .refine((path) => !path.includes(','), 'must be exactly one path, not a list')
        .refine((path) => path.startsWith('/'), 'must be an absolute path'),
      quota: quantity.optional(),
      high: fraction.optional(),
      low: fraction.optional(),
    },
    objectErrors,
  )
  .superRefine(({ high, low }, context) => {
    if (high === undefined || low === undefined || Number(low) <= Number(high)) return;
    context.addIssue({ code: 'custom', path: ['low'], message: `must not be above high (${high}), but is ${low}` });
  });

const levels = list(level).superRefine(([first, ...others], context) => {
  others.forEach((other, index) => {
    const key = other.mediumtype === first?.mediumtype ? 'path' : 'mediumtype';
    const unique = key === 'path' ? 'path' : `kind of cache (${first?.mediumtype})`;
    context.addIssue({
      code: 'custom',
      path: [index + 1, key],
      message: `a runtime has exactly one ${unique}, and levels[0] has it`,
    });
  });
});

const runtimeSpec = z.object(
  {
    replicas: z
      .int({ error: 'must be a whole number, the number of workers' })
      .min(0, 'must not be negative')
      .max(maxReplicas, `must be at most ${maxReplicas}`)
      .optional(),
    tieredstore: z.object({ levels }, objectErrors).optional(),
  },
  objectErrors,
);

/** Validates a JindoRuntime by the document's table (D3, D4). Never throws, whatever the spec is. */
export function validateRuntime({ spec }: Pick<FluidObject, 'spec'>): Validation<RuntimeSettings> {
  const parsed = runtimeSpec.safeParse(spec ?? {});
  if (parsed.success) return { ok: true, value: { replicas: parsed.data.replicas ?? 1 } };
  return { ok: false, errors: toFieldErrors(parsed.error, 'spec') };
}
