import { ApiException } from '@kubernetes/client-node';
import { CannotDeploy } from '../../recovery/deploy/cannot-deploy.ts';
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

/** An error of the cluster's, not ours, as one sentence with its remedy; any other is as it was. `server`: the API server's address. */
export function explain(error: unknown, server: string): unknown {
  const cannot = (what: string, remedy: string) => new CannotRun([{ what, remedy }], { cause: error });
  if (error instanceof CannotDeploy) return cannot(error.what, error.remedy);
  if (error instanceof ApiException) {
    if (error.code === 401)
      return cannot(
        `${server} does not know the credentials of the kubeconfig`,
        'log in again, or choose another --context',
      );
    if (error.code === 403)
      return cannot(messageOf(error.body), 'use a context that may do this, such as a cluster-admin');
  }
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && unreachable.has(code))
      return cannot(`${server} does not answer (${code})`, 'start the cluster, or choose another --context');
    // An address that fetch does not take.
    if (at.message === 'fetch failed' && at.cause instanceof Error && !('code' in at.cause))
      return cannot(
        `${server} does not answer (${at.cause.message})`,
        'start the cluster, or choose another --context',
      );
  }
  return error;
}

/** The sentence in a Status, which comes as text. */
export function messageOf(body: unknown): string {
  try {
    const status: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  } catch {
    // No Status: the text as it is.
  }
  return String(body);
}
