import { createLog as createReal, type Log } from '../../../recovery/log.ts';

export * from '../../../recovery/log.ts';

/** A log that drops everything except the error that stops the agent. */
export function createLog(...to: Parameters<typeof createReal>): Log {
  return { info: () => {}, warn: () => {}, error: createReal(...to).error };
}
