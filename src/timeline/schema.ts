import { z } from 'zod';
import { type RunRecord, recordSchema } from './record.ts';

/** The shape of `record.json`, checked where it is read. */

const ns = z.number();
const text = z.string();
const verdict = z.enum(['pass', 'fail', 'inconclusive']);

export const fidelity = z.object({
  place: text,
  parts: z.array(z.object({ part: text, is: text, fake: z.boolean() })),
  clockScale: z.number().positive(),
});

export const machine = z.object({
  kernel: text,
  os: text,
  cpus: z.number(),
  memoryBytes: z.number(),
  node: text,
  root: z.boolean(),
});

const step = z.object({
  keyword: text,
  text,
  status: z.enum(['passed', 'failed', 'skipped', 'undefined', 'pending']),
  at: ns,
  tookNs: ns,
  error: text.exactOptional(),
});

const check = z.object({ name: text, claims: z.array(text), verdict, says: text });

const recovery = z.object({
  fault: text,
  volume: text,
  pod: text,
  probe: text.exactOptional(),
  crash: ns,
  firstError: ns.exactOptional(),
  noticed: ns.exactOptional(),
  daemonReady: ns.exactOptional(),
  replacedOnNode: ns.exactOptional(),
  replacedInPod: ns.exactOptional(),
  verified: ns.exactOptional(),
  readable: ns.exactOptional(),
  errors: z.record(text, z.number()),
  longestStallNs: ns,
  probeRate: z.number(),
});

const backoffRow = z.object({
  crash: z.number(),
  ranMs: z.number(),
  because: z.enum(['first', 'doubled', 'capped', 'reset']),
  predictedMs: z.number(),
  announcedMs: z.number().exactOptional(),
  observedMs: z.number().exactOptional(),
  waitingNs: ns.exactOptional(),
  recoveryNs: ns.exactOptional(),
});

const scenario = z.object({
  id: text.min(1),
  feature: text,
  uri: text,
  line: z.number(),
  rule: text.exactOptional(),
  name: text,
  tags: z.array(text),
  claims: z.array(text),
  status: z.enum(['pass', 'fail', 'inconclusive', 'skipped']),
  reason: text.exactOptional(),
  startedAt: ns,
  finishedAt: ns,
  steps: z.array(step),
  checks: z.array(check),
  recoveries: z.array(recovery),
  mountLines: z.object({ before: z.number(), after: z.number() }).exactOptional(),
  backoff: z.array(backoffRow).exactOptional(),
});

export const runRecord: z.ZodType<RunRecord> = z.object({
  schema: z.literal(recordSchema),
  runId: text.min(1),
  rekindle: text,
  startedAt: text,
  finishedAt: text,
  command: z.array(text),
  seed: z.number(),
  profile: text,
  cluster: text,
  fidelity,
  machine,
  verdict,
  interrupted: z.boolean(),
  scenarios: z.array(scenario),
  checks: z.array(check).exactOptional(),
  leftovers: z.array(text),
});
