import { type Answer, answered, refused } from './status.ts';

/** Longest path of a unix socket, without the terminating zero (`man 7 unix`). */
const longestSocketPath = 107;

/** The socket's path in a CSI endpoint, `unix:///path` or `unix:/path`. */
export function socketPath(endpoint: string): Answer<string> {
  const path = /^unix:(?:\/\/)?(\/(?!\/).+)$/.exec(endpoint)?.[1];
  if (path === undefined) return refused('INVALID_ARGUMENT', `endpoint "${endpoint}" is not of the form unix:///path`);
  if (Buffer.byteLength(path) > longestSocketPath) {
    return refused(
      'INVALID_ARGUMENT',
      `endpoint "${endpoint}" is longer than the ${longestSocketPath} bytes of a socket`,
    );
  }
  return answered(path);
}
