import { writeSync } from 'node:fs';

export type EmitEvent = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

const backlogLines = 1_000;
const retryMs = 5;

/**
 * Writes one JSON object a line to a descriptor, each with the process's id and its own monotonic nanoseconds. Written at
 * once and without a stream, which would take milliseconds to load. Never waits for a slow reader: what it does not take is
 * kept, up to a bound; where there is no reader any more, nothing is written.
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
    if (backlog.length > backlogLines) backlog.splice(1, 1);
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
