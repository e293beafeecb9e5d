import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { claims } from '../src/timeline/claims.ts';

/** Parts of the harness that breakages aim at; the others break a claim. */
const parts = [
  'checks',
  'verdict',
  'probe',
  'run',
  'reports',
  'bench',
  'command line',
  'profile',
  'deployment',
  'identity',
  'takeover',
  'forecast',
  'simulation',
] as const;

const edit = z.strictObject({
  file: z.string(),
  in: z.string().optional(),
  search: z.string().optional(),
  replace: z.string(),
});

/** A deliberate breakage. */
const mutant = z
  .strictObject({
    /** What the broken program does, in the present tense. */
    name: z.string(),
    /** The claim that it violates, or the part of the harness that it disables. */
    breaks: z.enum([...(Object.keys(claims) as [string, ...string[]]), ...parts]),
    /** The field of a profile that it ignores. */
    field: z.string().optional(),
    /** Usually one. More if the program has several safeguards, each of which is sufficient. */
    edits: z.array(edit).min(1),
    /** Test files that could notice it. */
    tests: z.array(z.string()).default([]),
    /** Scenarios that could notice it, as a tag expression. */
    scenarios: z.string().optional(),
    /** Texts of Then steps, each of which must stop one of them. */
    thens: z.array(z.string()).default([]),
  })
  .refine(({ tests, scenarios }) => tests.length > 0 || scenarios !== undefined, 'needs tests or scenarios');
export type Mutant = Readonly<z.infer<typeof mutant>>;

/** All breakages, in the order of the files and of the entries in each. */
export function readMutants(): readonly Mutant[] {
  const folder = new URL('./', import.meta.url);
  const tables = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  return tables.flatMap((name) => z.array(mutant).parse(parse(readFileSync(new URL(name, folder), 'utf8'))));
}
