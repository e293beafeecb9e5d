import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rig } from './testing/test-rig.ts';
import { sendRaw, start } from './testing/test-rig.ts';

describe('malformed requests to the fake API server', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  const send = async (method: string, path: string, body?: string, type = 'application/json') => {
    const { code, text } = await sendRaw(rig.config, { method, path, body, headers: { 'content-type': type } });
    return { code, kind: (JSON.parse(text) as { kind: string }).kind };
  };
  const pods = '/api/v1/namespaces/default/pods';
  const huge: string = JSON.stringify({ metadata: { name: 'x', annotations: { a: 'x'.repeat(4 * 1024 * 1024) } } });
  const large = JSON.stringify({ metadata: { name: 'x', annotations: { a: 'x'.repeat(300 * 1024) } } });

  it.each([
    ['POST', pods, 400, '{'],
    ['POST', pods, 400, '[]'],
    ['POST', pods, 400, 'null'],
    ['POST', pods, 400, '"text"'],
    ['POST', pods, 400, undefined],
    ['POST', pods, 422, '{}'],
    ['POST', pods, 400, '{"metadata":5}'],
    ['POST', pods, 422, '{"metadata":{"name":5}}'],
    ['POST', pods, 422, '{"metadata":{"name":"x","labels":[]},"spec":"x"}'],
    ['POST', pods, 422, '{"metadata":{"name":"x","labels":{"a":1}},"spec":{"containers":"x"}}'],
    ['POST', pods, 422, '{"metadata":{"name":"x","finalizers":{}},"spec":{"containers":[null]}}'],
    ['POST', pods, 400, '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}'],
    ['POST', pods, 400, '{"metadata":{"name":"x","namespace":"kube-system"}}'],
    ['POST', '/api/v1/namespaces/default/secrets', 422, '{"metadata":{"name":"x"},"stringData":{"a":{}}}'],
    ['POST', '/api/v1/persistentvolumes', 422, '{"metadata":{"name":"x"},"spec":[]}'],
    ['POST', '/api/v1/namespaces/default/events', 422, '{"metadata":{"name":"x"}}'],
    ['POST', '/api/v1/namespaces', 422, '{"metadata":{"name":"a.b"}}'],
    ['POST', '/apis/data.fluid.io/v1alpha1/namespaces/default/datasets', 422, '{"metadata":{"name":"d"},"spec":7}'],
    ['POST', '/api/v1/namespaces/default/configmaps', 413, huge],
    ['POST', '/api/v1/namespaces/default/configmaps', 422, large],
    ['POST', '/api/v1/pods', 405, '{}'],
    ['PUT', pods, 405, '{}'],
    ['GET', '/api/v1/namespaces/default/gadgets', 404, undefined],
    ['GET', '/apis/none/v1/things', 404, undefined],
    ['GET', '/api/v1/namespaces/default/pods/x/log', 404, undefined],
    ['GET', '/api/v1/namespaces/%ZZ/pods/x', 404, undefined],
    ['GET', '/../../etc/passwd', 404, undefined],
    ['GET', `${pods}?watch=true&resourceVersion=x`, 400, undefined],
    ['GET', `${pods}?watch=true&timeoutSeconds=x`, 400, undefined],
    ['DELETE', `${pods}?gracePeriodSeconds=-1`, 400, undefined],
  ])('%s %s is answered with a Status of %i', async (method, path, code, body) => {
    expect(await send(method, path, body)).toEqual({ code, kind: 'Status' });
    expect((await send('GET', '/api/v1/namespaces/default')).code).toBe(200);
  });

  it.each([
    ['application/json-patch+json', '{}', 400],
    ['application/json-patch+json', '[{"op":"add","path":"x"}]', 400],
    ['application/json-patch+json', '[{"op":"leap","path":"/x"}]', 400],
    ['application/json-patch+json', '[{"op":"remove","path":"/nothing/there"}]', 422],
    ['application/json-patch+json', '[{"op":"remove","path":""}]', 400],
    ['application/json-patch+json', '[{"op":"replace","path":"/metadata","value":null}]', 422],
    ['application/merge-patch+json', '[]', 400],
    ['application/merge-patch+json', '{"metadata":"x"}', 400],
    ['application/merge-patch+json', '{"data":[1]}', 422],
    ['application/strategic-merge-patch+json', '7', 400],
    ['text/plain', '{}', 415],
  ])('a patch of type %s with %s is answered with a Status of %i', async (type, body, code) => {
    await rig.core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'c' } } });
    expect(await send('PATCH', '/api/v1/namespaces/default/configmaps/c', body, type)).toEqual({
      code,
      kind: 'Status',
    });
  });

  it('accepts a YAML body if the content type says so', async () => {
    const answer = await send(
      'POST',
      '/api/v1/namespaces/default/configmaps',
      'metadata: {name: y}\ndata: {a: b}\n',
      'application/yaml',
    );
    expect(answer).toEqual({ code: 201, kind: 'ConfigMap' });
  });
});
