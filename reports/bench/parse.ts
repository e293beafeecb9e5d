import { describeProblems, UnreadableRun } from '../../src/timeline/parse.ts';
import { benchPhases } from './phases.ts';
import { type BenchRecord, benchRecord, benchSchema } from './record.ts';

/**
 * Parses the text of a `bench.json`. `name` stands for the file in messages.
 * @throws UnreadableRun if it is empty, truncated, of another version, has other phases, or does not match `record.ts`
 */
export function parseBench(json: string, name: string): BenchRecord {
  const refuse = (...problems: readonly string[]) => new UnreadableRun(problems.map((says) => `${name}: ${says}`));
  if (json.trim() === '') throw refuse('is empty');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    const isCut = json.trimStart().startsWith('{') && !json.trimEnd().endsWith('}');
    const says = isCut ? 'is cut in the middle' : 'is not JSON';
    throw new UnreadableRun([`${name}: ${says}`], { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('is not an object');
  const { schema } = value as { schema?: unknown };
  if (schema === undefined) throw refuse('has no schema version, so it is no record of a benchmark');
  if (schema !== benchSchema)
    throw refuse(`was written as ${JSON.stringify(schema)}; this version compares ${benchSchema} only`);
  const parsed = benchRecord.safeParse(value);
  if (!parsed.success) throw new UnreadableRun(describeProblems(`${name}: `, parsed.error, value));
  const known = benchPhases.map((phase) => phase.name);
  if (known.join() !== parsed.data.phases.join())
    throw refuse(
      `has other phases (${parsed.data.phases.join(', ')}) than this version measures (${known.join(', ')}): measure it again`,
    );
  return parsed.data;
}
