import { CannotDeploy } from './cannot-deploy.ts';

/** Somebody changed the object since it was read. */
export class Conflict extends Error {
  readonly code = 'CONFLICT';
}

/** HTTP status that the API server answered with. */
export function statusOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** What the API server's answer, or its silence, means: `CannotDeploy` where the user can do something about it. */
export function explained(what: string, server: string, error: unknown): Error {
  const status = statusOf(error);
  const says = messageOf(error);
  switch (status) {
    case undefined:
      return isConnection(error)
        ? new CannotDeploy(`${server} does not answer (${says})`, 'start the cluster, or choose another --context', {
            cause: error,
          })
        : new Error(`cannot ${what}: ${says}`, { cause: error });
    case 401:
      return new CannotDeploy(`cannot ${what}: ${says}`, 'log in again: the credentials of the context are not valid', {
        cause: error,
      });
    case 403:
      return new CannotDeploy(`cannot ${what}: ${says}`, 'use a context that may do this, such as a cluster-admin', {
        cause: error,
      });
    case 404:
      return new CannotDeploy(`cannot ${what}: ${says}`, 'use a cluster that has this kind, and create its namespace');
    case 409:
      return new Conflict(says);
    default:
      return new CannotDeploy(`cannot ${what}: ${status}: ${says}`, 'look at the message of the API server', {
        cause: error,
      });
  }
}

/** The sentence in the API server's Status, or in Node's error. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const body = 'body' in error ? error.body : undefined;
  const status = typeof body === 'string' ? parsed(body) : body;
  if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  return deepest(error);
}

/** What the system said: the last cause; Node's errors of several addresses have no message of their own. */
function deepest(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(deepest).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : deepest(error.cause);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

/** Nobody answered: refused, not found, timed out, or with a certificate that is not trusted. */
function isConnection(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed';
}
