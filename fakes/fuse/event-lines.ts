import { writeSync } from 'node:fs';

export type EmitEvent = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

const maxBacklogLines = 1_000;
const retryMs = 5;

/**
 * Writes one JSON object per line to a descriptor, with the process id and monotonic nanoseconds. It uses no stream, since loading streams
 * takes milliseconds, and never waits for a slow reader: lines that cannot be written are kept, up to a limit. Without a reader nothing is
 * written.
 */
export function eventLines(descriptor: number): EmitEvent {
  const backlog: string[] = [];
  const flush = (): void => {
    for (let line = backlog[0]; line !== undefined; line = backlog[0]) {
      const errno = tryWrite(descriptor, line);
      if (errno === 'EAGAIN') {
        setTimeout(flush, retryMs);
        return;
      }
      backlog.shift();
    }
  };
  return (event, fields = {}) => {
    const ns = process.hrtime.bigint();
    backlog.push(`${JSON.stringify({ event, ns: String(ns), pid: process.pid, ...fields })}\n`);
    if (backlog.length > maxBacklogLines) backlog.splice(1, 1);
    if (backlog.length === 1) flush();
  };
}

function tryWrite(descriptor: number, line: string): string | undefined {
  try {
    writeSync(descriptor, line);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}
