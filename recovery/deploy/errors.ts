/** The cluster lacks something or contains foreign objects. Has one sentence and what the user can do about it. */
export class CannotDeploy extends Error {
  readonly code = 'CANNOT_DEPLOY';
  readonly what: string;
  readonly remedy: string;
  constructor(what: string, remedy: string, options?: ErrorOptions) {
    super(`${what}: ${remedy}`, options);
    this.what = what;
    this.remedy = remedy;
  }
}

/** The object has changed since it was read. */
export class Conflict extends Error {
  readonly code = 'CONFLICT';
}

/** The HTTP status of the API server's answer. */
export function httpStatus(error: unknown): number | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** The error for a request that the API server refused or did not answer: `CannotDeploy` if the user can do something about it. */
export function explainError(request: string, server: string, error: unknown): Error {
  const status = httpStatus(error);
  const message = errorMessage(error);
  switch (status) {
    case undefined:
      return isConnectionError(error)
        ? new CannotDeploy(`${server} does not answer (${message})`, 'start the cluster, or choose another --context', {
            cause: error,
          })
        : new Error(`cannot ${request}: ${message}`, { cause: error });
    case 401:
      return new CannotDeploy(
        `cannot ${request}: ${message}`,
        'log in again: the credentials of the context are not valid',
        {
          cause: error,
        },
      );
    case 403:
      return new CannotDeploy(
        `cannot ${request}: ${message}`,
        'use a context that may do this, such as a cluster-admin',
        {
          cause: error,
        },
      );
    case 404:
      return new CannotDeploy(
        `cannot ${request}: ${message}`,
        'use a cluster that has this kind, and create its namespace',
      );
    case 409:
      return new Conflict(message);
    default:
      return new CannotDeploy(`cannot ${request}: ${status}: ${message}`, 'look at the message of the API server', {
        cause: error,
      });
  }
}

/** The message of the API server's Status or of Node's error. */
function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const body = 'body' in error ? error.body : undefined;
  const status = typeof body === 'string' ? parseStatus(body) : body;
  if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  return rootMessage(error);
}

/** The message of the last cause. Node's error for several addresses has no message of its own. */
function rootMessage(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(rootMessage).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : rootMessage(error.cause);
}

function parseStatus(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

/** No answer: the connection was refused, the server was not found, timed out, or has an untrusted certificate. */
function isConnectionError(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed';
}
