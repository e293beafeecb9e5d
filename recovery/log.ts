import pino, { type DestinationStream } from 'pino';
import type { Nanoseconds } from './engine/model.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one JSON object per line with `ns` (CLOCK_MONOTONIC in decimal, at the time of the call) and `event`. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export function createLog(destination: DestinationStream, now: () => Nanoseconds): Log {
  const logger = pino({ base: null, timestamp: false, formatters: { level: (level) => ({ level }) } }, destination);
  const line = (event: string, fields: LogFields | undefined) => ({ ns: String(now()), event, ...fields });
  return {
    info: (event, fields) => logger.info(line(event, fields)),
    warn: (event, fields) => logger.warn(line(event, fields)),
    error: (event, fields) => logger.error(line(event, fields)),
  };
}

/** Formats an error and its causes in one line. */
export function formatError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${formatError(error.cause)}`;
  // Node's connection errors to several addresses have no message.
  const message = error instanceof AggregateError ? error.errors.map(formatError).join(', ') : error.message;
  return `${message || error.name}${cause}`;
}
