import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { Nanoseconds } from '../engine/model.ts';
import { claimObject as claim, volumeObject } from '../kubernetes/testing/bound-claim.ts';
import { ApiError, type ApiRequest, type Transport } from '../kubernetes/transport.ts';
import { eci, pod, template } from './testing/pods.ts';
import { toDaemon, type WatchedFacts, watchFacts } from './watch-facts.ts';

const volume = volumeObject();
const daemons = {
  metadata: { namespace: 'default', name: 'demo-jindofs-fuse', labels: { role: 'jindofs-fuse', release: 'demo' } },
  spec: { template: { spec: { containers: [template.container], volumes: template.volumes } } },
};

let facts: WatchedFacts | undefined;
afterEach(async () => {
  await facts?.[Symbol.asyncDispose]();
  facts = undefined;
});

/** Facts over an API whose watches bring nothing: what is listed at first, and what is there to be asked for. */
async function watching(listed: Readonly<Record<string, readonly object[]>>, there: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const transport: Transport = {
    async json(request: ApiRequest) {
      const { pathname, search } = new URL(request.path, 'http://x');
      if (search.startsWith('?limit')) return { metadata: { resourceVersion: '1' }, items: listed[pathname] ?? [] };
      asked.push(request.path);
      const found = there[request.path];
      if (found === undefined) throw new ApiError(404, request, 'not found');
      return found;
    },
    async stream({ signal }) {
      const body = new PassThrough();
      signal.addEventListener('abort', () => body.destroy(signal.reason as Error));
      return body as never;
    },
  };
  const clock = { now: () => 0n as Nanoseconds };
  facts = watchFacts({ transport, mountRoot: '/runtime-mnt', onError: () => {}, clock, random: () => 0 });
  await facts.synced;
  return { facts, asked };
}

const places = {
  claim: '/api/v1/namespaces/default/persistentvolumeclaims/demo',
  volume: '/api/v1/persistentvolumes/default-demo',
  daemons: '/apis/apps/v1/namespaces/default/daemonsets?labelSelector=release%3Ddemo',
};
const all = {
  '/api/v1/persistentvolumes': [volume],
  '/api/v1/persistentvolumeclaims': [claim],
  '/apis/apps/v1/daemonsets': [daemons],
};

describe('what is known of a pod', () => {
  it('comes from memory where the watches have brought it', async () => {
    const { facts, asked } = await watching(all, {});
    const found = await facts.factsFor(pod({ labels: eci }));
    expect([...found.claims.keys(), ...found.daemons.keys()]).toEqual(['default/demo', 'default/demo']);
    expect([...found.volumes.keys()]).toEqual(['default-demo']);
    expect(asked).toEqual([]);
  });

  it('is asked for where the watches are behind', async () => {
    const there = { [places.claim]: claim, [places.volume]: volume, [places.daemons]: { items: [daemons] } };
    const { facts, asked } = await watching({}, there);
    const found = await facts.factsFor(pod({ labels: eci }));
    expect(found.volumes.get('default-demo')?.accessModes).toEqual(['ReadOnlyMany']);
    expect(found.daemons.get('default/demo')).toEqual(template);
    expect(asked).toEqual([places.claim, places.volume, places.daemons]);
  });

  it('is asked for again where a claim was not bound yet', async () => {
    const listed = { ...all, '/api/v1/persistentvolumeclaims': [{ ...claim, spec: {} }] };
    const { facts } = await watching(listed, { [places.claim]: claim });
    expect((await facts.factsFor(pod())).claims.get('default/demo')?.volume).toBe('default-demo');
  });

  it('tells a claim that is not bound from one that is not there', async () => {
    const late = { metadata: { namespace: 'default', name: 'late' }, spec: {} };
    const { facts } = await watching({}, { '/api/v1/namespaces/default/persistentvolumeclaims/late': late });
    const { known } = await facts.factsFor(pod({ claims: { a: 'late', b: 'nobody', c: '../../x' } }));
    expect([...known]).toEqual(['default/late']);
  });

  it('is nothing for a pod that asks for nothing', async () => {
    const { facts, asked } = await watching({}, {});
    expect((await facts.factsFor(pod({ labels: {} }))).known.size).toBe(0);
    expect(asked).toEqual([]);
  });

  it('is an error where the API does not answer', async () => {
    const { facts } = await watching({}, {});
    const broken: Transport = {
      json: () => Promise.reject(new Error('refused')),
      stream: () => Promise.reject(new Error('x')),
    };
    const clock = { now: () => 0n as Nanoseconds };
    await using other = watchFacts({
      transport: broken,
      mountRoot: '/runtime-mnt',
      onError: () => {},
      clock,
      random: () => 0,
    });
    await expect(other.factsFor(pod())).rejects.toThrow('refused');
    expect((await facts.factsFor(pod({ labels: {} }))).known.size).toBe(0);
  });
});

it.each<[string, object]>([
  ['without labels', { metadata: { namespace: 'default', name: 'x' } }],
  ['of another role', { ...daemons, metadata: { ...daemons.metadata, labels: { role: 'worker', release: 'demo' } } }],
  ['without containers', { ...daemons, spec: {} }],
  ['without a namespace', { ...daemons, metadata: { labels: daemons.metadata.labels } }],
])('a DaemonSet %s is none of FUSE daemons', (_what, object) => {
  expect(toDaemon(object)).toBeUndefined();
});
