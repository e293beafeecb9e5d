import { z } from 'zod';
import { describeProblems, UnreadableRun } from '../../src/timeline/parse.ts';
import { fidelity, machine } from '../../src/timeline/record.ts';
import { benchPhases } from './phases.ts';
import { type BenchRecord, benchMoments, benchSchema } from './record.ts';

const text = z.string();
const count = z.number().int().nonnegative();

const usage = z.object({
  anonymousBytes: z.number(),
  residentBytes: z.number(),
  cpuMs: z.number(),
  processes: z.number(),
});

const crash = z.object({
  crash: count,
  pod: text,
  moments: z.partialRecord(z.enum(benchMoments), z.number()),
  errors: z.record(text, z.number()),
  late: count,
  podsLost: count.exactOptional(),
  longestStallNs: z.number(),
});

const conditions = z.object({
  fault: text,
  pods: count,
  datasets: count,
  rate: z.number(),
  pacingMs: z.number(),
  agentCpuMillis: z.number().exactOptional(),
  kernelTier: text.exactOptional(),
  freshPods: z.literal(true).exactOptional(),
});

const series = z.object({
  id: text.min(1),
  arm: z.enum(['agent', 'rekindle', 'poll', 'restart', 'nothing']),
  title: text,
  conditions,
  fidelity: fidelity.exactOptional(),
  program: z
    .object({ command: text, files: z.array(z.object({ path: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) })) })
    .exactOptional(),
  readyBy: z.literal('statfs').exactOptional(),
  warmUp: count,
  asked: count,
  deadlineMs: z.number(),
  stopped: text.exactOptional(),
  crashes: z.array(crash),
  mountLines: z.object({ before: z.number(), after: z.number() }).exactOptional(),
  agent: z.object({ first: usage, last: usage, overMs: z.number() }).exactOptional(),
  apiRequests: z
    .object({
      during: z.record(text, count),
      crashes: count,
      idle: z.object({ during: z.record(text, count), overMs: z.number() }).exactOptional(),
    })
    .exactOptional(),
});

export const benchRecord: z.ZodType<BenchRecord> = z.object({
  schema: z.literal(benchSchema),
  runId: text.min(1),
  rekindle: text,
  startedAt: text,
  finishedAt: text,
  seed: z.number(),
  cluster: text,
  fidelity,
  machine,
  interrupted: z.boolean(),
  phases: z.array(text),
  series: z.array(series),
});

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
