import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createModelledClock } from '../engine/testing/modelled-clock.ts';
import { claimObject as claim, volumeObject } from '../kubernetes/testing/bound-claim.ts';
import { ApiError, type ApiRequest, type Transport } from '../kubernetes/transport.ts';
import { eci, pod, template } from './testing/sample-pods.ts';
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

/** Watches an API server with quiet watches. `listed` is in its first lists, `gettable` can be requested by path. */
async function startWatching(
  listed: Readonly<Record<string, readonly object[]>>,
  gettable: Readonly<Record<string, object>>,
) {
  const requested: string[] = [];
  const transport: Transport = {
    async json(request: ApiRequest) {
      const { pathname, search } = new URL(request.path, 'http://x');
      if (search.startsWith('?limit')) return { metadata: { resourceVersion: '1' }, items: listed[pathname] ?? [] };
      requested.push(request.path);
      const found = gettable[request.path];
      if (found === undefined) throw new ApiError(404, request, 'not found');
      return found;
    },
    async stream({ signal }) {
      const body = new PassThrough();
      signal.addEventListener('abort', () => body.destroy(signal.reason as Error));
      return body as never;
    },
  };
  const clock = createModelledClock();
  facts = watchFacts({
    transport,
    mountRoot: '/runtime-mnt',
    onError: () => {},
    onRecovered: () => {},
    clock,
    random: () => 0,
  });
  await facts.synced;
  return { facts, requested };
}

const paths = {
  claim: '/api/v1/namespaces/default/persistentvolumeclaims/demo',
  volume: '/api/v1/persistentvolumes/default-demo',
  daemons: '/apis/apps/v1/namespaces/default/daemonsets?labelSelector=release%3Ddemo',
};
const all = {
  '/api/v1/persistentvolumes': [volume],
  '/api/v1/persistentvolumeclaims': [claim],
  '/apis/apps/v1/daemonsets': [daemons],
};

describe('the facts about a pod', () => {
  it('come from memory if the watches have delivered them', async () => {
    const { facts, requested } = await startWatching(all, {});
    const found = await facts.factsFor(pod({ labels: eci }));
    expect([...found.claims.keys(), ...found.daemons.keys()]).toEqual(['default/demo', 'default/demo']);
    expect([...found.volumes.keys()]).toEqual(['default-demo']);
    expect(requested).toEqual(['/version', '/api/v1/namespaces/default']);
  });

  it('are requested if the watches are behind', async () => {
    const gettable = { [paths.claim]: claim, [paths.volume]: volume, [paths.daemons]: { items: [daemons] } };
    const { facts, requested } = await startWatching({}, gettable);
    const found = await facts.factsFor(pod({ labels: eci }));
    expect(found.volumes.get('default-demo')?.accessModes).toEqual(['ReadOnlyMany']);
    expect(found.daemons.get('default/demo')).toEqual(template);
    expect(requested.slice(0, 3)).toEqual([paths.claim, paths.volume, paths.daemons]);
  });

  it.each([
    ['29+', true],
    ['28', false],
  ])(
    'know whether Kubernetes 1.%s has native sidecars (%s), and what Pod Security enforces',
    async (minor, expected) => {
      const namespace = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } };
      const gettable = { '/version': { major: '1', minor }, '/api/v1/namespaces/default': namespace };
      const { facts, requested } = await startWatching(all, gettable);
      expect(await facts.factsFor(pod({ labels: eci }))).toMatchObject({
        hasNativeSidecars: expected,
        podSecurity: 'restricted',
      });
      requested.length = 0;
      await facts.factsFor(pod());
      expect(requested).toEqual([]);
    },
  );

  it('are requested again if a claim was not bound yet', async () => {
    const listed = { ...all, '/api/v1/persistentvolumeclaims': [{ ...claim, spec: {} }] };
    const { facts } = await startWatching(listed, { [paths.claim]: claim });
    expect((await facts.factsFor(pod())).claims.get('default/demo')?.volume).toBe('default-demo');
  });

  it('distinguish a claim that is not bound from one that does not exist', async () => {
    const late = { metadata: { namespace: 'default', name: 'late' }, spec: {} };
    const { facts } = await startWatching({}, { '/api/v1/namespaces/default/persistentvolumeclaims/late': late });
    const { existingClaims } = await facts.factsFor(pod({ claims: { a: 'late', b: 'nobody', c: '../../x' } }));
    expect([...existingClaims]).toEqual(['default/late']);
  });

  it('are empty for a pod that requests nothing', async () => {
    const { facts, requested } = await startWatching({}, {});
    expect((await facts.factsFor(pod({ labels: {} }))).existingClaims.size).toBe(0);
    expect(requested).toEqual([]);
  });

  it('are an error if the API server does not answer', async () => {
    const { facts } = await startWatching({}, {});
    const broken: Transport = {
      json: () => Promise.reject(new Error('refused')),
      stream: () => Promise.reject(new Error('x')),
    };
    const clock = createModelledClock();
    await using other = watchFacts({
      transport: broken,
      mountRoot: '/runtime-mnt',
      onError: () => {},
      onRecovered: () => {},
      clock,
      random: () => 0,
    });
    await expect(other.factsFor(pod())).rejects.toThrow('refused');
    expect((await facts.factsFor(pod({ labels: {} }))).existingClaims.size).toBe(0);
  });
});

it.each<[string, object]>([
  ['without labels', { metadata: { namespace: 'default', name: 'x' } }],
  ['of another role', { ...daemons, metadata: { ...daemons.metadata, labels: { role: 'worker', release: 'demo' } } }],
  ['without containers', { ...daemons, spec: {} }],
  ['without a namespace', { ...daemons, metadata: { labels: daemons.metadata.labels } }],
])('does not take a DaemonSet %s for one of FUSE daemons', (_title, object) => {
  expect(toDaemon(object)).toBeUndefined();
});
