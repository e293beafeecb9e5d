import { objectAt, textAt, type UncheckedObject } from '../kubernetes/json.ts';
import type { Admission } from './admit.ts';
import type { JsonPatch, NewPod } from './pod.ts';

/** A request of the API server (AdmissionReview of admission.k8s.io/v1). */
export type ReviewRequest =
  | { readonly kind: 'pod'; readonly uid: string; readonly pod: NewPod }
  /** Needs no decision: an operation other than CREATE, or a subresource. */
  | { readonly kind: 'irrelevant'; readonly uid: string }
  /** Can only be answered with an AdmissionReview if it has a uid. */
  | { readonly kind: 'invalid'; readonly uid: string | undefined; readonly message: string };

const apiVersion = 'admission.k8s.io/v1';

/** Parses the body of a request without trusting its shape. */
export function parseReview(body: string): ReviewRequest {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch (error) {
    return invalid(undefined, `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { apiVersion: version, kind } = objectAt(review);
  if (version !== apiVersion || kind !== 'AdmissionReview') {
    return invalid(
      undefined,
      `the body is ${quote(version)}, Kind=${quote(kind)}, not ${apiVersion}, Kind=AdmissionReview`,
    );
  }
  const request = objectAt(review, 'request');
  const uid = textAt(request, 'uid');
  if (uid === undefined) return invalid(undefined, 'request.uid is missing');
  if (request.operation !== 'CREATE' || textAt(request, 'subResource') !== undefined)
    return { kind: 'irrelevant', uid };
  const { group = '', kind: requested } = objectAt(request, 'kind');
  if (group !== '' || requested !== 'Pod') {
    return invalid(uid, `this webhook reviews pods, not ${quote(requested)}: correct the rules of its configuration`);
  }
  const pod = objectAt(request, 'object');
  const namespace = textAt(request, 'namespace');
  if (namespace === undefined) return invalid(uid, 'request.namespace is missing');
  for (const path of [['metadata'], ['spec']] as const) {
    if (Object.keys(objectAt(pod, ...path)).length === 0) return invalid(uid, `request.object.${path} is missing`);
  }
  const own = textAt(objectAt(pod, 'metadata'), 'namespace');
  if (own !== undefined && own !== namespace) {
    return invalid(uid, `the pod's namespace ${own} is not the request's, ${namespace}`);
  }
  return { kind: 'pod', uid, pod: { namespace, pod } };
}

const invalid = (uid: string | undefined, message: string): ReviewRequest => ({ kind: 'invalid', uid, message });

/** Formats a value of any type for a message, shortened to a readable length. */
function quote(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')).slice(0, 60);
}

/** The response to the API server. A denial has code 403 and is for the pod's author; 400 and 500 are for the administrator. */
export function createResponse(uid: string, admission: Admission, patch: JsonPatch = []): UncheckedObject {
  const warnings = admission.warnings.length === 0 ? {} : { warnings: admission.warnings };
  if (!admission.allowed)
    return wrap({
      uid,
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: admission.message },
      ...warnings,
    });
  const patched =
    patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  return wrap({ uid, allowed: true, ...patched, ...warnings });
}

/** The response to a request that cannot be decided: it is denied rather than admitted unchecked. */
export function createErrorResponse(uid: string, code: 400 | 500, message: string): UncheckedObject {
  return wrap({ uid, allowed: false, status: { code, message } });
}

const wrap = (response: UncheckedObject): UncheckedObject => ({ apiVersion, kind: 'AdmissionReview', response });
