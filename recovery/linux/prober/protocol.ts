import type { DeviceId, Failure } from '../../engine/model.ts';

/** What the prober is asked, one JSON object a line. */
export interface ProbeRequest {
  readonly id: number;
  /** Mount namespace to read in, as a path; the prober's own where it is missing. */
  readonly namespace?: string;
  readonly path: string;
  /** Only statfs. */
  readonly answerOnly?: true;
  /** Process whose capabilities and credentials the reader takes; root's own where it is missing. */
  readonly as?: {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  };
}

/** What it answers, in the order of the requests. */
export type ProbeAnswer =
  | { readonly id: number; readonly device: DeviceId }
  | { readonly id: number; readonly failure: Failure };

/** Said once, when requests can be served. */
export const ready = 'ready';
