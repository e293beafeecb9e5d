import type { status } from '@grpc/grpc-js';

/** A gRPC status by name, such as `FAILED_PRECONDITION`. */
export type StatusName = keyof typeof status;

/** A call that failed with a status and a sentence, which the kubelet shows in an event. */
export interface CsiRejection {
  readonly ok: false;
  readonly code: StatusName;
  readonly message: string;
}

/** The result of a CSI call. */
export type CsiResult<T> = { readonly ok: true; readonly value: T } | CsiRejection;

export const succeeded = <T>(value: T): CsiResult<T> => ({ ok: true, value });

export const rejected = (code: StatusName, message: string): CsiRejection => ({ ok: false, code, message });
