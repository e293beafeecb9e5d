import pino, { type DestinationStream } from 'pino';
import type { Nanoseconds } from '../engine/model.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One JSON object a line, each with `ns` (CLOCK_MONOTONIC when it happened, in decimal) and `event`. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Stamps each line with the time of the call, before anything is written. */
export function createLog(destination: DestinationStream, now: () => Nanoseconds): Log {
  const logger = pino({ base: null, timestamp: false, formatters: { level: (level) => ({ level }) } }, destination);
  const line = (event: string, fields: LogFields | undefined) => ({ ns: String(now()), event, ...fields });
  return {
    info: (event, fields) => logger.info(line(event, fields)),
    warn: (event, fields) => logger.warn(line(event, fields)),
    error: (event, fields) => logger.error(line(event, fields)),
  };
}

/** An error and what caused it, in one line. */
export function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${told(error.cause)}`;
  // Node's connection errors to several addresses have no message of their own.
  const message = error instanceof AggregateError ? error.errors.map(told).join(', ') : error.message;
  return `${message || error.name}${cause}`;
}
