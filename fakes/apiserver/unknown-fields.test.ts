import type { V1Pod } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pod, type Rig, sendRaw, start } from './testing/test-rig.ts';

describe('fields that a kind does not have', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  /** Sends a request without the client, which drops such fields itself. */
  async function send(
    method: 'POST' | 'PATCH',
    path: string,
    { query = '', ...body }: { readonly query?: string; readonly [field: string]: unknown },
  ) {
    const { code, headers, text } = await sendRaw(rig.config, {
      method,
      path: `${path}${query}`,
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      body: JSON.stringify(body),
    });
    return { code, warning: headers.warning, body: JSON.parse(text) as never };
  }
  const pods = '/api/v1/namespaces/default/pods';
  const misspelt = (): object => {
    const { spec, ...rest } = pod('a');
    return {
      ...rest,
      spec: { ...spec, restartPolice: 'Never', containers: [{ name: 'main', image: 'nginx', portz: [] }] },
    };
  };

  it('are dropped with a warning', async () => {
    const { code, warning, body } = await send('POST', pods, { ...misspelt() });
    expect(code).toBe(201);
    expect(warning).toContain('unknown field \\"spec.restartPolice\\"');
    expect(warning).toContain('unknown field \\"spec.containers[0].portz\\"');
    expect((body as V1Pod).spec).not.toHaveProperty('restartPolice');
    expect((body as V1Pod).spec?.containers[0]).not.toHaveProperty('portz');
  });

  it('are dropped silently if the client asks for that', async () => {
    expect(await send('POST', pods, { query: '?fieldValidation=Ignore', ...misspelt() })).toMatchObject({
      code: 201,
      warning: undefined,
    });
  });

  it('are refused with 400 under strict validation, and nothing is stored', async () => {
    const { code, body } = await send('POST', pods, { query: '?fieldValidation=Strict', ...misspelt() });
    expect(code).toBe(400);
    expect(body).toMatchObject({
      message:
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].portz", unknown field "spec.restartPolice"',
    });
    expect((await rig.core.listNamespacedPod({ namespace: 'default' })).items).toEqual([]);
  });

  it('are refused in patches too', async () => {
    await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
    const patch = { query: '?fieldValidation=Strict', metadata: { labelz: {} } };
    expect((await send('PATCH', `${pods}/a`, patch)).code).toBe(400);
  });

  it('may be any key of a map, and stay in custom kinds, whose definitions keep them', async () => {
    const secret = { metadata: { name: 's', labels: { any: 'x' } }, stringData: { any: 'x' } };
    const query = '?fieldValidation=Strict';
    expect((await send('POST', '/api/v1/namespaces/default/secrets', { query, ...secret })).code).toBe(201);
    const dataset = { query, metadata: { name: 'd' }, spec: { mounts: [], other: 1 } };
    const created = await send('POST', '/apis/data.fluid.io/v1alpha1/namespaces/default/datasets', dataset);
    expect(created).toMatchObject({ code: 201, body: { spec: { other: 1 } } });
  });
});
