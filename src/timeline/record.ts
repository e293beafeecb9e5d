import { z } from 'zod';
import { recovery } from './recoveries.ts';

export type { Recovery } from './recoveries.ts';

/*
 * The files that a run leaves behind: `record.json` (a `RunRecord`) and `history.ndjson` (a `HistoryEvent` per line). Checks and
 * reports are pure functions of the two. Times are nanoseconds on one monotonic clock since the run began; `at` is when
 * something happened, and a name that ends in `Ns` is a duration.
 */

export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

const text = z.string();
const ns = z.number();
const count = z.number();

export const recordSchema = 'rekindle.record/1';

const verdict = z.enum(['pass', 'fail', 'inconclusive']);
export type Verdict = z.infer<typeof verdict>;

const scenarioStatus = z.enum([...verdict.options, 'skipped']);
export type ScenarioStatus = z.infer<typeof scenarioStatus>;

/** How real a run was. Every report shows it. */
export const fidelity = z.object({
  /** `sandbox`, or `Kubernetes v1.34.4`. */
  place: text,
  /** One entry for each thing that may be a stand-in: `kubelet: fake`, `object store: embedded S3 store` ... */
  parts: z.array(z.object({ part: text, is: text, fake: z.boolean() })),
  /** Seconds of the fake kubelet's clock that pass in one real second; 1 if nothing is scaled. */
  clockScale: z.number().positive(),
});
export type Fidelity = Immutable<z.infer<typeof fidelity>>;

export const machine = z.object({
  kernel: text,
  os: text,
  cpus: count,
  memoryBytes: z.number(),
  node: text,
  root: z.boolean(),
});

const stepRecord = z.object({
  keyword: text,
  text,
  status: z.enum(['passed', 'failed', 'skipped', 'undefined', 'pending']),
  at: ns,
  tookNs: ns,
  error: text.exactOptional(),
  /**
   * Why it failed: a check of the scenario did not pass, an expectation of the step itself was not met, or an error or an
   * interruption stopped it, which says nothing about the implementation.
   */
  cause: z.enum(['check', 'expectation', 'error', 'interruption']).exactOptional(),
});
export type StepRecord = Immutable<z.infer<typeof stepRecord>>;

/** The conclusion of a check. */
const checkRecord = z.object({
  name: text,
  claims: z.array(text),
  verdict,
  /** One sentence with the figures that led to the verdict. */
  says: text,
  /** Something took too long, or too little happened in its time, as it may because of others that use the processors. */
  isTooSlow: z.literal(true).exactOptional(),
  /** What the check was given besides the timeline, so that it can judge again. Absent if it judged what was read at that moment. */
  inputs: z.array(z.unknown()).exactOptional(),
  /** How many of the scenario's events it was given: the first in the order of the history file. Absent if it takes no timeline. */
  events: count.exactOptional(),
});
export type CheckRecord = Immutable<z.infer<typeof checkRecord>>;

/** One restart of a container in a crash loop. `...Ms` are milliseconds of the kubelet's clock, which may be scaled. */
const backoffRow = z.object({
  /** From 1. */
  crash: count,
  /** How long the container had run when the delay was predicted. */
  ranMs: z.number(),
  /** How long it may have run by the kubelet's own reckoning, from the time at which that allowed the start. Absent: unknown. */
  ranAtMostMs: z.number().exactOptional(),
  because: z.enum(['first', 'doubled', 'capped', 'reset']),
  /** Predicted before the crash. */
  predictedMs: z.number(),
  /** In the kubelet's own message. */
  announcedMs: z.number().exactOptional(),
  /** From the exit to the next start. */
  observedMs: z.number().exactOptional(),
  /** The part of the outage that was spent waiting for the kubelet, and the rest. */
  waitingNs: ns.exactOptional(),
  recoveryNs: ns.exactOptional(),
});
export type BackoffRow = Immutable<z.infer<typeof backoffRow>>;

const scenarioRecord = z.object({
  id: text.min(1),
  feature: text,
  /** Path of the feature file, relative to the features folder, and the scenario's line in it. */
  uri: text,
  line: z.number(),
  rule: text.exactOptional(),
  name: text,
  tags: z.array(text),
  /** Claim ids of the document among the tags: `C2`, `C3`. */
  claims: z.array(text),
  status: scenarioStatus,
  /** One sentence: why it failed, was skipped or is inconclusive. */
  reason: text.exactOptional(),
  startedAt: ns,
  finishedAt: ns,
  steps: z.array(stepRecord),
  checks: z.array(checkRecord),
  recoveries: z.array(recovery),
  /** Lines of the mount tables of node and pods together, before the first fault and after the last recovery. */
  mountLines: z.object({ before: count, after: count }).exactOptional(),
  /** The kubelet's delays in a crash loop, predicted and observed. */
  backoff: z.array(backoffRow).exactOptional(),
});
export type ScenarioRecord = Immutable<z.infer<typeof scenarioRecord>>;

export const runRecord = z.object({
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
  scenarios: z.array(scenarioRecord),
  /** Checks of the run as a whole; one failure fails it. */
  checks: z.array(checkRecord).exactOptional(),
  /** Failures of the harness itself, such as a runner that died: one sentence each. */
  errors: z.array(text).exactOptional(),
  /** Present if `rekindle judge` ran the checks again: with which version, and when. */
  judgedAgain: z.object({ rekindle: text, at: text }).exactOptional(),
  /** What could not be cleaned up; empty if everything is gone. */
  leftovers: z.array(text),
});
export type RunRecord = Immutable<z.infer<typeof runRecord>>;

const common = {
  at: ns,
  /** The scenario during which it happened. */
  scenario: text.exactOptional(),
};

const probeOperation = z.enum(['list', 'stat', 'read']);
export type ProbeOperation = z.infer<typeof probeOperation>;

/** One operation of a probe. `read` opens, reads and compares a checksum; `at` is when the operation was due. */
const probeEvent = z.object({
  ...common,
  kind: z.literal('probe'),
  /** `<namespace>/<pod>/<container>:<path>`. */
  probe: text,
  op: probeOperation,
  startedAt: ns,
  finishedAt: ns,
  /** `ok`, an errno name, `EBADSUM` if the bytes were not the expected ones, `EEMPTY` if a listing lacked the files. */
  result: text,
  /** The system call that failed. */
  call: text.exactOptional(),
});
export type ProbeEvent = Immutable<z.infer<typeof probeEvent>>;

export const historyEvent = z.discriminatedUnion('kind', [
  probeEvent,
  /** An operation that has not returned yet: recorded repeatedly while it lasts, and once more when it ends. */
  z.object({ ...common, kind: z.literal('hang'), probe: text, op: probeOperation, since: ns, over: z.boolean() }),
  z.object({
    ...common,
    kind: z.literal('process'),
    role: z.enum(['daemon', 'agent', 'container', 'program', 'store', 'control-plane']),
    name: text,
    change: z.enum(['started', 'ready', 'exited']),
    /** The daemon does not report readiness: a later statfs of ours succeeded. */
    by: z.literal('statfs').exactOptional(),
    pid: z.number().exactOptional(),
    exitCode: z.number().exactOptional(),
    signal: text.exactOptional(),
  }),
  z.object({
    ...common,
    kind: z.literal('mount'),
    /** `node`, or `<namespace>/<pod>/<container>`. */
    where: text,
    change: z.enum(['added', 'removed']),
    id: z.number(),
    device: text,
    mountPoint: text,
    fstype: text,
    /** Options of the mount, not of the superblock. */
    options: text,
    /** Whether the file system itself is read-only, whatever the options of its mounts are. */
    readOnlySuperblock: z.boolean().exactOptional(),
  }),
  z.object({
    ...common,
    kind: z.literal('agent'),
    event: z.enum([
      'noticed',
      'standby-refused',
      'standby-differs',
      'failed-over',
      'skipped',
      'replaced',
      'recovered',
      'unproven',
      'failed',
      'fallback',
      'passed',
    ]),
    volume: text.exactOptional(),
    /** `node`, or `<namespace>/<pod>/<container>`. */
    where: text.exactOptional(),
    path: text.exactOptional(),
    reason: text.exactOptional(),
    tookNs: ns.exactOptional(),
    /** The whole log line. */
    line: z.record(text, z.unknown()),
  }),
  /** A Kubernetes event. */
  z.object({ ...common, kind: z.literal('event'), type: text, reason: text, message: text, object: text, count }),
  z.object({
    ...common,
    kind: z.literal('kubelet'),
    event: z.enum(['restart-scheduled', 'restarted', 'publish', 'unpublish', 'pod-started', 'pod-removed']),
    pod: text,
    container: text.exactOptional(),
    delayNs: ns.exactOptional(),
    restartCount: count.exactOptional(),
    detail: text.exactOptional(),
  }),
  z.object({
    ...common,
    kind: z.literal('fault'),
    fault: text,
    phase: z.enum(['injected', 'healed']),
    target: text,
    detail: text.exactOptional(),
  }),
  /** A line that a program printed: the documented loop in the pod, or the user's own program. */
  z.object({ ...common, kind: z.literal('output'), program: text, stream: z.enum(['stdout', 'stderr']), text }),
  /** A mount table, as lines of mountinfo. */
  z.object({ ...common, kind: z.literal('snapshot'), where: text, label: text, lines: z.array(text) }),
  z.object({ ...common, kind: z.literal('note'), text }),
]);
export type HistoryEvent = Immutable<z.infer<typeof historyEvent>>;
export type EventOf<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: Kind }>;

/** The files of `results/<run-id>/` from which reports are made. */
export interface Run {
  readonly record: RunRecord;
  readonly history: readonly HistoryEvent[];
}

/** The schema of a probe event as a plain function, which is much faster: nearly all lines of a long run are such events. */
export function isProbeEvent(value: object): value is ProbeEvent {
  const event = value as Partial<Record<keyof ProbeEvent, unknown>>;
  return (
    event.kind === 'probe' &&
    typeof event.at === 'number' &&
    typeof event.probe === 'string' &&
    (event.op === 'list' || event.op === 'stat' || event.op === 'read') &&
    typeof event.startedAt === 'number' &&
    typeof event.finishedAt === 'number' &&
    typeof event.result === 'string' &&
    (event.scenario === undefined || typeof event.scenario === 'string') &&
    (event.call === undefined || typeof event.call === 'string')
  );
}
