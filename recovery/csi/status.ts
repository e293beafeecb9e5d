/** The canonical gRPC status codes that the CSI specification names, by their numbers on the wire. */
export const statusCodes = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export type StatusName = keyof typeof statusCodes;

/** Why a call was not served: a status and one sentence for whoever reads the kubelet's event. */
export interface Refusal {
  readonly ok: false;
  readonly code: StatusName;
  readonly message: string;
}

/** What a call is answered with. */
export type Answer<T> = { readonly ok: true; readonly value: T } | Refusal;

export const answered = <T>(value: T): Answer<T> => ({ ok: true, value });

export const refused = (code: StatusName, message: string): Refusal => ({ ok: false, code, message });

/** The name of a status by its number; `INTERNAL` for what the specification does not name. */
export function statusName(code: number): StatusName {
  const names = Object.keys(statusCodes) as StatusName[];
  return names.find((name) => statusCodes[name] === code) ?? 'INTERNAL';
}
