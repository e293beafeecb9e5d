import { appendFileSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { lineSplitter, parseLine } from '../../../fakes/lines.ts';
import { lastErrno, libc } from '../../../recovery/linux/libc.ts';
import type { Request } from '../../rpc.ts';

/** A folder of the node program's pod with the history and the pipe of a session. */
export const sessionFolder = (runId: string): string => `/tmp/rekindle-${runId}`;

/** Everything that the node program reports: one JSON value a line, append-only. */
export const historyFile = 'history.ndjson';
/** A named pipe, so that no request, some of which have credentials, is ever on a disk. */
export const requestsPipe = 'requests';

/** How often each end appends an empty line, which shows that it is alive. */
export const heartbeatMs = 2_000;

/** The line of a harness that has ended. */
export const farewell = '"farewell"';

/** Exit status of a connection whose history is shorter than what was read of it: the node program has restarted. */
export const historyLost = 3;

/**
 * The command of one connection: prints the history from a byte on, as it grows, and appends its input to the requests. A
 * connection that breaks may leave half a line behind, which the empty line at the start of the next one ends.
 */
export function connectionCommand(folder: string, offset: number): readonly string[] {
  const script = `cd "$1" && [ "$(stat -c %s ${historyFile})" -ge "$2" ] || exit ${historyLost}
tail -c "+$(($2 + 1))" -s 0.2 --pid=$$ -f ${historyFile} &
exec cat >> ${requestsPipe}`;
  return ['sh', '-c', script, 'sh', folder, String(offset)];
}

export interface FileSessionOptions {
  /** Created on demand. */
  readonly folder: string;
  readonly onRequest: (request: Request) => void;
  /** The harness has ended, or has sent nothing for `graceMs`. May be called twice. */
  readonly onEnd: (reason: 'farewell' | 'silence') => void;
  readonly graceMs: number;
}

export interface FileSession extends Disposable {
  /** Appends lines to the history. */
  write(lines: readonly string[]): void;
}

/** The node program's end of a session with the harness. History and pipe outlive each connection, so nothing is lost with one. */
export function openSession({ folder, onRequest, onEnd, graceMs }: FileSessionOptions): FileSession {
  mkdirSync(folder, { recursive: true });
  const requests = openPipe(join(folder, requestsPipe));
  const write = (lines: readonly string[]): void =>
    appendFileSync(join(folder, historyFile), lines.map((line) => `${line}\n`).join(''));
  const heartbeat = setInterval(() => write(['']), heartbeatMs);
  const grace = setTimeout(() => onEnd('silence'), graceMs);
  const split = lineSplitter();
  requests.on('data', (text: string) => {
    grace.refresh();
    for (const line of split(text)) {
      if (line === farewell) onEnd('farewell');
      // Half a line is no JSON, and its request arrives again.
      const request = parseLine(line);
      if (request) onRequest(request as unknown as Request);
    }
  });
  write(['']);
  return {
    write,
    [Symbol.dispose]() {
      clearInterval(heartbeat);
      clearTimeout(grace);
      requests.destroy();
    },
  };
}

/** Creates a named pipe and reads from it. It is open for writing too, so that it does not end with a connection. */
function openPipe(path: string): Socket {
  rmSync(path, { force: true });
  if (libc.mkfifo(path, 0o600) !== 0) throw new Error(`the pipe ${path} cannot be created: ${lastErrno()}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false }).setEncoding('utf8');
}
