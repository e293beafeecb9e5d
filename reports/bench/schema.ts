import { z } from 'zod';
import { fidelity, machine } from '../../src/timeline/schema.ts';
import { type BenchRecord, benchMoments, benchSchema } from './record.ts';

/** The shape of `bench.json`, checked where it is read. */

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
