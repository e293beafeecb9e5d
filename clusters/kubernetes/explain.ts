import { ApiException } from '@kubernetes/client-node';
import { CannotDeploy } from '../../recovery/deploy/errors.ts';
import { CannotRun } from '../cluster.ts';

const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Turns an error that the cluster is responsible for into one sentence with a remedy. Any other error is returned unchanged.
 * `server`: the API server's address.
 */
export function explain(error: unknown, server: string): unknown {
  const cannot = (what: string, remedy: string) => new CannotRun([{ what, remedy }], { cause: error });
  if (error instanceof CannotDeploy) return cannot(error.what, error.remedy);
  if (error instanceof ApiException) {
    if (error.code === 401)
      return cannot(`${server} rejects the credentials of the kubeconfig`, 'log in again, or choose another --context');
    if (error.code === 403)
      return cannot(statusMessage(error.body), 'use a context that may do this, such as a cluster-admin');
  }
  const noAnswer = (reason: string) =>
    cannot(`${server} does not answer (${reason})`, 'start the cluster, or choose another --context');
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && unreachable.has(code)) return noAnswer(code);
    // fetch rejects some addresses without a code.
    if (cause.message === 'fetch failed' && cause.cause instanceof Error && !('code' in cause.cause))
      return noAnswer(cause.cause.message);
  }
  return error;
}

/** The message of a Kubernetes Status, which arrives as text. Text that is no Status is returned unchanged. */
export function statusMessage(body: unknown): string {
  try {
    const status: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  } catch {
    // Not a Status.
  }
  return String(body);
}
