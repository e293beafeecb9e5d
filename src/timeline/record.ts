/**
 * What a run leaves behind: `record.json` (this `RunRecord`) and `history.ndjson` (one `HistoryEvent` a line). Checks and
 * reports are pure functions of the two. Times are monotonic nanoseconds since the run began (`at`), on one clock.
 */

export const recordSchema = 'rekindle.record/1';

export type Verdict = 'pass' | 'fail' | 'inconclusive';

/** How real a run was. Every report says it. */
export interface Fidelity {
  /** `sandbox`, or `Kubernetes v1.34.4`. */
  readonly place: string;
  /** One sentence for each thing that stands in for another: `kubelet: fake`, `object store: MinIO (container)` ... */
  readonly parts: readonly { readonly part: string; readonly is: string; readonly fake: boolean }[];
  /** Seconds of the fake kubelet's clock that pass in one real second; 1 where nothing is scaled. */
  readonly clockScale: number;
}

export interface RunRecord {
  readonly schema: typeof recordSchema;
  readonly runId: string;
  readonly rekindle: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly command: readonly string[];
  readonly seed: number;
  readonly profile: string;
  readonly cluster: string;
  readonly fidelity: Fidelity;
  readonly machine: {
    readonly kernel: string;
    readonly os: string;
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly node: string;
    readonly root: boolean;
  };
  readonly verdict: Verdict;
  readonly interrupted: boolean;
  readonly scenarios: readonly ScenarioRecord[];
  /** What holds, or does not, for the run as a whole; one failure fails it. */
  readonly checks?: readonly CheckRecord[];
  /** What could not be cleaned up; empty where all is gone. */
  readonly leftovers: readonly string[];
}

export type ScenarioStatus = Verdict | 'skipped';

export interface ScenarioRecord {
  readonly id: string;
  readonly feature: string;
  /** Path of the feature file, relative to the features folder, and the scenario's line in it. */
  readonly uri: string;
  readonly line: number;
  readonly rule?: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Seed claim ids among the tags: `C2`, `C3`. */
  readonly claims: readonly string[];
  readonly status: ScenarioStatus;
  /** Why it failed, was skipped or is inconclusive: one sentence. */
  readonly reason?: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly steps: readonly StepRecord[];
  readonly checks: readonly CheckRecord[];
  readonly recoveries: readonly Recovery[];
  /** Mount table lines before the first fault and after the last recovery, node and pods together. */
  readonly mountLines?: { readonly before: number; readonly after: number };
  /** Of a crash loop: the kubelet's delays, predicted and observed. */
  readonly backoff?: readonly BackoffRow[];
}

/** One restart of a container that crashes again and again. `...Ms` are milliseconds of the kubelet's clock, which may be scaled. */
export interface BackoffRow {
  /** From 1. */
  readonly crash: number;
  /** How long the container had run. */
  readonly ranMs: number;
  readonly because: 'first' | 'doubled' | 'capped' | 'reset';
  /** Said before the crash. */
  readonly predictedMs: number;
  /** In the kubelet's own message. */
  readonly announcedMs?: number;
  /** From the exit to the next start. */
  readonly observedMs?: number;
  /** Of the outage, what was spent waiting for the kubelet, and the rest. */
  readonly waitingNs?: number;
  readonly recoveryNs?: number;
}

export interface StepRecord {
  readonly keyword: string;
  readonly text: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'undefined' | 'pending';
  readonly at: number;
  readonly tookNs: number;
  readonly error?: string;
}

/** What a check concluded from the history. */
export interface CheckRecord {
  readonly name: string;
  readonly claims: readonly string[];
  readonly verdict: Verdict;
  /** One sentence with the figures that led to it. */
  readonly says: string;
}

/** One crash and what came of it, by phase; a phase that did not happen is absent. */
export interface Recovery {
  readonly fault: string;
  readonly volume: string;
  /** `<namespace>/<pod>`. */
  readonly pod: string;
  /** The probe that saw it, as in `ProbeEvent.probe`. */
  readonly probe?: string;
  /** All in nanoseconds since the run began. */
  readonly crash: number;
  readonly firstError?: number;
  readonly noticed?: number;
  readonly daemonReady?: number;
  readonly replacedOnNode?: number;
  readonly replacedInPod?: number;
  readonly verified?: number;
  readonly readable?: number;
  /** Failed probe operations, by errno; `HANG` counts those that never came back. */
  readonly errors: Readonly<Record<string, number>>;
  readonly longestStallNs: number;
  /** Probe operations a second: the resolution of `firstError` and `readable`. */
  readonly probeRate: number;
}

interface Happening {
  /** Monotonic nanoseconds since the run began. */
  readonly at: number;
  /** The scenario during which it happened. */
  readonly scenario?: string;
}

export type ProbeOperation = 'list' | 'stat' | 'read';

/** One probe operation. `read` opens, reads and compares a checksum; `at` is when it was scheduled. */
export interface ProbeEvent extends Happening {
  readonly kind: 'probe';
  /** `<namespace>/<pod>/<container>:<path>`. */
  readonly probe: string;
  readonly op: ProbeOperation;
  readonly startedAt: number;
  readonly finishedAt: number;
  /** `ok`, an errno name, `EBADSUM` where the bytes were not the expected ones, `EEMPTY` where a listing lacked the files. */
  readonly result: string;
  /** System call that failed. */
  readonly call?: string;
}

export type HistoryEvent =
  | ProbeEvent
  /** An operation that has not come back yet: recorded while it lasts, and again when it ends. */
  | (Happening & {
      readonly kind: 'hang';
      readonly probe: string;
      readonly op: ProbeOperation;
      readonly since: number;
      readonly over: boolean;
    })
  | (Happening & {
      readonly kind: 'process';
      readonly role: 'daemon' | 'agent' | 'container' | 'program' | 'store' | 'control-plane';
      readonly name: string;
      readonly change: 'started' | 'ready' | 'exited';
      readonly pid?: number;
      readonly exitCode?: number;
      readonly signal?: string;
    })
  | (Happening & {
      readonly kind: 'mount';
      /** `node`, or `<namespace>/<pod>/<container>`. */
      readonly where: string;
      readonly change: 'added' | 'removed';
      readonly id: number;
      readonly device: string;
      readonly mountPoint: string;
      readonly fstype: string;
      /** Of the mount. */
      readonly options: string;
      /** Where the filesystem itself is read-only, whatever its mounts are. */
      readonly readOnlySuperblock?: boolean;
    })
  | (Happening & {
      readonly kind: 'agent';
      readonly event: 'noticed' | 'skipped' | 'replaced' | 'recovered' | 'failed' | 'passed';
      readonly volume?: string;
      /** `node`, or `<namespace>/<pod>/<container>`. */
      readonly where?: string;
      readonly path?: string;
      readonly reason?: string;
      readonly tookNs?: number;
      /** The whole log line. */
      readonly line: Readonly<Record<string, unknown>>;
    })
  | (Happening & {
      readonly kind: 'event';
      readonly type: string;
      readonly reason: string;
      readonly message: string;
      readonly object: string;
      readonly count: number;
    })
  | (Happening & {
      readonly kind: 'kubelet';
      readonly event: 'restart-scheduled' | 'restarted' | 'publish' | 'unpublish' | 'pod-started' | 'pod-removed';
      readonly pod: string;
      readonly container?: string;
      readonly delayNs?: number;
      readonly restartCount?: number;
      readonly detail?: string;
    })
  | (Happening & {
      readonly kind: 'fault';
      readonly fault: string;
      readonly phase: 'injected' | 'healed';
      readonly target: string;
      readonly detail?: string;
    })
  /** A line that a program printed: the documented loop in the pod, or the user's own. */
  | (Happening & {
      readonly kind: 'output';
      readonly program: string;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    })
  | (Happening & {
      readonly kind: 'snapshot';
      readonly where: string;
      readonly label: string;
      readonly lines: readonly string[];
    })
  | (Happening & { readonly kind: 'note'; readonly text: string });

/** The files of `results/<run-id>/` that reports are made of. */
export interface Run {
  readonly record: RunRecord;
  readonly history: readonly HistoryEvent[];
}
