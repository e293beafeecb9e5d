import { constants } from 'node:os';
import { z } from 'zod';
import type { Behaviour } from './behaviour.ts';
import { operations } from './fuse-native.ts';

const operation = z.enum(operations);
const errnoName = z.string().refine((name) => name in constants.errno, 'is not the name of an errno');
const milliseconds = z.number().nonnegative();

const plain = z.strictObject({
  onTerm: z.enum(['unmount', 'exit']).optional(),
  delayMs: z.union([milliseconds, z.partialRecord(operation, milliseconds)]).optional(),
  hang: z.array(operation).optional(),
  errno: z.partialRecord(operation, errnoName).optional(),
  wrongBytes: z.boolean().optional(),
  readyAfterMs: milliseconds.optional(),
  exitAfterOps: z.number().int().nonnegative().optional(),
  entryTimeoutSeconds: z.number().nonnegative().optional(),
  attributeTimeoutSeconds: z.number().nonnegative().optional(),
  links: z.record(z.string(), z.string()).optional(),
  readOnlySuperblock: z.boolean().optional(),
  idmap: z.boolean().optional(),
  parallelListing: z.boolean().optional(),
  empty: z.boolean().optional(),
  unreadable: z.string().optional(),
});
const schema = plain.extend({ onUsr2: plain.optional() });

/** Parses the value of `--behaviour`. This is a file of its own because loading zod takes long. */
export function parseBehaviour(
  json: string,
): { readonly ok: true; readonly behaviour: Behaviour } | { readonly ok: false; readonly message: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { ok: false, message: `--behaviour=${json} is not JSON` };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, behaviour: parsed.data };
  const accepted = Object.keys(schema.shape).join(', ');
  const wrong = parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
  return { ok: false, message: `--behaviour: ${wrong} (its keys are ${accepted})` };
}
