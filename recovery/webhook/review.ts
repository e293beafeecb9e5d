import { type JsonObject, objectAt, textAt } from '../kubernetes/json.ts';
import type { Admission } from './admit.ts';
import type { NewPod } from './dataset-mounts.ts';
import type { JsonPatch } from './mutate.ts';

/** What the API server asks (AdmissionReview of admission.k8s.io/v1). */
export type Asked =
  | { readonly ask: 'pod'; readonly uid: string; readonly pod: NewPod }
  /** Nothing to judge: another operation than CREATE, or a subresource. */
  | { readonly ask: 'nothing'; readonly uid: string }
  /** A question that cannot be read, and why; with a uid it can still be answered. */
  | { readonly ask: 'unreadable'; readonly uid: string | undefined; readonly message: string };

const apiVersion = 'admission.k8s.io/v1';

/** Reads the body of a request without trusting its shape. */
export function readReview(body: string): Asked {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch (error) {
    return unreadable(undefined, `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { apiVersion: version, kind } = objectAt(review);
  if (version !== apiVersion || kind !== 'AdmissionReview') {
    return unreadable(
      undefined,
      `the body is ${said(version)}, Kind=${said(kind)}, not ${apiVersion}, Kind=AdmissionReview`,
    );
  }
  const request = objectAt(review, 'request');
  const uid = textAt(request, 'uid');
  if (uid === undefined) return unreadable(undefined, 'request.uid is missing');
  if (request.operation !== 'CREATE' || textAt(request, 'subResource') !== undefined) return { ask: 'nothing', uid };
  const { group = '', kind: requested } = objectAt(request, 'kind');
  if (group !== '' || requested !== 'Pod') {
    return unreadable(uid, `this webhook judges pods, not ${said(requested)}: mend the rules of its configuration`);
  }
  const pod = objectAt(request, 'object');
  const namespace = textAt(request, 'namespace');
  if (namespace === undefined) return unreadable(uid, 'request.namespace is missing');
  for (const path of [['metadata'], ['spec']] as const) {
    if (Object.keys(objectAt(pod, ...path)).length === 0) return unreadable(uid, `request.object.${path} is missing`);
  }
  const own = textAt(objectAt(pod, 'metadata'), 'namespace');
  if (own !== undefined && own !== namespace) {
    return unreadable(uid, `the pod's namespace ${own} is not the request's, ${namespace}`);
  }
  return { ask: 'pod', uid, pod: { namespace, pod } };
}

const unreadable = (uid: string | undefined, message: string): Asked => ({ ask: 'unreadable', uid, message });

/** A value in a message: of any type and of a length that can be read. */
function said(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')).slice(0, 60);
}

/** The answer, as the API server reads it. A denial with code 403 is the user's to mend, with 400 or 500 the installation's. */
export function answer(uid: string, admission: Admission, patch: JsonPatch = []): JsonObject {
  const warnings = admission.warnings.length === 0 ? {} : { warnings: admission.warnings };
  if (!admission.allowed)
    return respond({
      uid,
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: admission.denied },
      ...warnings,
    });
  const patched =
    patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  return respond({ uid, allowed: true, ...patched, ...warnings });
}

/** The answer to a question that cannot be judged: what is half understood is denied, not admitted. */
export function refuse(uid: string, code: 400 | 500, message: string): JsonObject {
  return respond({ uid, allowed: false, status: { code, message } });
}

const respond = (response: JsonObject): JsonObject => ({ apiVersion, kind: 'AdmissionReview', response });
