import type { ProbeOperation } from '../../timeline/record.ts';

/** The operation of a slot: of every ten one lists, one stats, eight read. */
export function operationOf(slot: number): ProbeOperation {
  if (slot % 10 === 4) return 'list';
  return slot % 10 === 9 ? 'stat' : 'read';
}

/** When a slot is due, in nanoseconds after the first; computed from the slot, so that no error adds up. */
export const dueAfter = (slot: number, rate: number) => BigInt(Math.round((slot * 1e9) / rate));
