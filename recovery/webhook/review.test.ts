import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createErrorResponse, createResponse, parseReview } from './review.ts';
import { pod } from './testing/sample-pods.ts';

const request = {
  uid: 'u-1',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  operation: 'CREATE',
  namespace: 'default',
  object: pod().pod,
};
const review = (change: object = {}, head: object = {}) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    ...head,
    request: { ...request, ...change },
  });

describe('a review', () => {
  it('takes the namespace from the request, because the pod may omit it', () => {
    expect(parseReview(review())).toEqual({ kind: 'pod', uid: 'u-1', pod: pod() });
  });

  it.each<[string, object]>([
    ['an update', { operation: 'UPDATE' }],
    ['a deletion', { operation: 'DELETE', object: null }],
    ['a subresource', { subResource: 'eviction' }],
  ])('of %s is irrelevant', (_title, change) => {
    expect(parseReview(review(change))).toEqual({ kind: 'irrelevant', uid: 'u-1' });
  });

  it.each<[string, string, string | undefined, string]>([
    ['that is not JSON', 'x', undefined, 'the body is not JSON'],
    ['that is empty', '', undefined, 'the body is not JSON'],
    ['that is null', 'null', undefined, 'not admission.k8s.io/v1'],
    ['that is a list', '[]', undefined, 'not admission.k8s.io/v1'],
    [
      'of an old version',
      review({}, { apiVersion: 'admission.k8s.io/v1beta1' }),
      undefined,
      'admission.k8s.io/v1beta1',
    ],
    ['of another kind', review({}, { kind: 'x'.repeat(70_000) }), undefined, 'Kind=xxx'],
    [
      'without a request',
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }),
      undefined,
      'request.uid',
    ],
    ['without a uid', review({ uid: undefined }), undefined, 'request.uid is missing'],
    ['with a uid that is not a string', review({ uid: 7 }), undefined, 'request.uid is missing'],
    [
      'of another kind of object',
      review({ kind: { group: 'apps', kind: 'Deployment' } }),
      'u-1',
      'reviews pods, not Deployment',
    ],
    ['without a namespace', review({ namespace: '' }), 'u-1', 'request.namespace is missing'],
    ['without a pod', review({ object: null }), 'u-1', 'request.object.metadata is missing'],
    [
      'of a pod without a spec',
      review({ object: { metadata: { name: 'a' } } }),
      'u-1',
      'request.object.spec is missing',
    ],
    [
      'of a pod of another namespace',
      review({ object: { metadata: { namespace: 'other' }, spec: { containers: [] } } }),
      'u-1',
      'namespace other is not the request',
    ],
  ])('%s is invalid, with a short message', (_title, body, uid, message) => {
    const parsed = parseReview(body);
    expect(parsed).toEqual({ kind: 'invalid', uid, message: expect.stringContaining(message) });
    expect(JSON.stringify(parsed).length).toBeLessThan(300);
  });

  it('is parsed without an exception, whatever its shape', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => typeof parseReview(body).kind === 'string'));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(request)), fc.anything()), (change) => {
        const text = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: change });
        return typeof parseReview(text).kind === 'string';
      }),
    );
  });
});

describe('the response', () => {
  const unwrap = (body: object) => (body as { readonly response: object }).response;

  it('admits with the patch in base64', () => {
    expect(unwrap(createResponse('u', { allowed: true, warnings: [] }))).toEqual({ uid: 'u', allowed: true });
    const patch = [{ op: 'add', path: '/x', value: 1 }] as const;
    expect(unwrap(createResponse('u', { allowed: true, warnings: ['w'] }, patch))).toEqual({
      uid: 'u',
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from('[{"op":"add","path":"/x","value":1}]').toString('base64'),
      warnings: ['w'],
    });
  });

  it('denies with 403, reports failures with 400 or 500, and never contains a patch then', () => {
    const denied = createResponse('u', { allowed: false, message: 'no', warnings: [] }, [
      { op: 'add', path: '/x', value: 1 },
    ]);
    expect(unwrap(denied)).toEqual({
      uid: 'u',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'no' },
    });
    expect(unwrap(createErrorResponse('u', 500, 'broken'))).toMatchObject({
      allowed: false,
      status: { code: 500, message: 'broken' },
    });
  });
});
