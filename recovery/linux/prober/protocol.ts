import type { Failure } from '../../engine/model.ts';
import type { ReadAnswer } from '../../engine/ports.ts';

/** A request to the prober: one line of JSON. */
export interface ProberRequest {
  readonly id: number;
  /** Path of the mount namespace to read in; the prober's own if missing. */
  readonly namespace?: string;
  readonly path: string;
  /** Call statfs only. */
  readonly answerOnly?: true;
  /** The process whose credentials and capabilities the prober takes for the read; it keeps its own if missing. */
  readonly as?: {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  };
}

/** The prober's response, in the order of the requests. */
export type ProberResponse =
  | { readonly id: number; readonly answer: ReadAnswer }
  | { readonly id: number; readonly failure: Failure };

/** The prober prints this line once, when it can serve requests. */
export const ready = 'ready';
