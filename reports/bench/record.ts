import { z } from 'zod';
import { fidelity, type Immutable, machine } from '../../src/timeline/record.ts';

/** The content of `bench.json`: every sample, so that runs can be compared and figures computed later. */
export const benchSchema = 'rekindle.bench/1';

/** The measured moments of a crash, in the order of a successful recovery. */
const benchMoments = [
  'firstError',
  'connectionEnded',
  'noticed',
  'daemonStarted',
  'daemonReady',
  'mountVisible',
  'replacedOnNode',
  'replacedInPod',
  'readable',
  'steady',
  'verified',
  'lastReadable',
] as const;
export type BenchMoment = (typeof benchMoments)[number];

const text = z.string();
const count = z.number().int().nonnegative();

/** One crash as seen by one pod. A crash of several datasets yields one for each. */
const crash = z.object({
  /** Number from 1, equal for all pods that the crash affected. */
  crash: count,
  /** `<namespace>/<pod>`. */
  pod: text,
  /** Nanoseconds since the crash. A moment that did not happen or was not observed is absent. */
  moments: z.partialRecord(z.enum(benchMoments), z.number()),
  /** Failed operations by errno; `HANG` counts those that never returned. */
  errors: z.record(text, z.number()),
  /** Operations, failed ones included, that returned more than 10 ms after their scheduled time, until the pod was steady. */
  late: count,
  /** Number of pods that had not read again before the deadline. */
  podsLost: count.exactOptional(),
  /** How long the kubelet delays the restart of the daemon, by its own clock, which may be scaled. */
  backoffNs: z.number().exactOptional(),
  longestStallNs: z.number(),
});
export type BenchCrash = Immutable<z.infer<typeof crash>>;

/** Conditions that all crashes of a series share. */
const conditions = z.object({
  fault: text,
  /** Pods of each dataset. */
  pods: count,
  datasets: count,
  /** Probe operations a second, in one pod of each dataset. */
  rate: z.number(),
  /** Mean of the random pauses from a steady pod to the next crash. */
  pacingMs: z.number(),
  /** CPU limit of the agent, in thousandths of a core. */
  agentCpuMillis: z.number().exactOptional(),
  kernelTier: text.exactOptional(),
  /** Each crash has a new FUSE pod, because a real kubelet delays the restart of one that crashed before. */
  freshPods: z.literal(true).exactOptional(),
  /** Standbys of each dataset. */
  standbys: count.exactOptional(),
  /** Each crash follows the recovery from the one before, under the kubelet's back-off. */
  crashLoop: z.literal(true).exactOptional(),
});
export type Conditions = Readonly<z.infer<typeof conditions>>;

/** The agent's API requests by its own count, such as `create events`. A watch counts once, whatever its duration. */
const apiRequests = z.object({
  /** Sums over all counted crashes. */
  during: z.record(text, count),
  crashes: count,
  /** Requests at rest, over `overMs` milliseconds. */
  idle: z.object({ during: z.record(text, count), overMs: z.number() }).exactOptional(),
});
export type ApiRequests = Immutable<z.infer<typeof apiRequests>>;

const usage = z.object({
  anonymousBytes: z.number(),
  residentBytes: z.number(),
  cpuMs: z.number(),
  processes: z.number(),
});

/** Crashes under the same conditions, recovered by the same means. */
const series = z.object({
  /** `pods=10/agent`: the varied condition, if any, and the arm. Equal in all runs of the same kind. */
  id: text.min(1),
  /** The means of recovery: the agent under test, or a baseline. */
  arm: z.enum(['agent', 'rekindle', 'standby', 'takeover', 'poll', 'restart', 'nothing']),
  /** The means of recovery, in one line. */
  title: text,
  conditions,
  /** Absent if it is that of the record. */
  fidelity: fidelity.exactOptional(),
  /** A foreign agent: its command, and the SHA-256 of each file that the command names. */
  program: z
    .object({ command: text, files: z.array(z.object({ path: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) })) })
    .exactOptional(),
  /** The daemon does not report readiness, so it counts as ready at a later statfs of ours. */
  readyBy: z.literal('statfs').exactOptional(),
  /** Crashes before the first one that counts; their measurements are dropped. */
  warmUp: count,
  asked: count,
  /** How long to wait for the recovery from a crash. */
  deadlineMs: z.number(),
  /** Why there are fewer crashes than requested. */
  stopped: text.exactOptional(),
  crashes: z.array(crash),
  /** Lines in the mount tables of the node and the watched pods together. */
  mountLines: z.object({ before: z.number(), after: z.number() }).exactOptional(),
  /** Usage of the agent's process tree at the first crash that counts, and after the last one. */
  agent: z.object({ first: usage, last: usage, overMs: z.number() }).exactOptional(),
  apiRequests: apiRequests.exactOptional(),
});
export type BenchSeries = Immutable<z.infer<typeof series>>;
export type ArmName = BenchSeries['arm'];

export const benchRecord = z.object({
  schema: z.literal(benchSchema),
  runId: text.min(1),
  rekindle: text,
  startedAt: text,
  finishedAt: text,
  seed: z.number(),
  cluster: text,
  fidelity,
  machine,
  /** Whether the run ended before everything was measured. */
  interrupted: z.boolean(),
  /** Names of the phases that this version measures; a comparison requires them to be equal. */
  phases: z.array(text),
  series: z.array(series),
});
export type BenchRecord = Immutable<z.infer<typeof benchRecord>>;
