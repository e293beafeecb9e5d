import { beforeEach, describe, expect, it } from 'vitest';
import type { Decision } from '../engine/model.ts';
import { createWorld, podNamed, volumeNamed, type World } from '../engine/testing/world.ts';
import { ApiError, type ApiRequest } from '../kubernetes/transport.ts';
import { startFallback } from './fallback.ts';

interface Rig extends AsyncDisposable {
  readonly world: World;
  readonly requests: string[];
  readonly signals: string[];
  readonly decisions: Decision[];
  answer: (request: ApiRequest) => unknown;
}

const asked = { annotations: { 'rekindle.dev/fallback': 'evict,restart-container' } };
const kept = { restartPolicy: 'Always', controller: { kind: 'ReplicaSet', name: 's' } } as const;

/** A pod whose volume is read-write, and one without the label, after a crash. */
async function start(facts: object = asked): Promise<Rig> {
  const world = createWorld();
  world.volumes.push(volumeNamed('demo'), volumeNamed('scratch', { accessModes: ['ReadWriteMany'] }));
  for (const { name } of world.volumes) world.serve(name);
  world.run(podNamed('writer', [{ volume: 'scratch' }], { ...kept, ...facts }));
  world.run(podNamed('unlabelled', [{}], { ...kept, ...facts, labels: {} }));
  world.engine.start();
  await world.clock.settle();
  const rig = {
    world,
    requests: [] as string[],
    signals: [] as string[],
    decisions: [] as Decision[],
    answer: (_: ApiRequest): unknown => ({}),
  };
  const fallback = startFallback({
    engine: world.engine,
    kubernetes: { view: () => ({ volumes: world.volumes, pods: world.pods }) },
    kernel: {
      containers: () => world.kernel.containers('known'),
      endContainer: ({ podUid }, signal) => {
        rig.signals.push(`${podUid} ${signal}`);
        return { ok: true, value: undefined };
      },
    },
    transport: {
      json: async (request) => {
        const { body } = request;
        rig.requests.push(
          `${request.method} ${request.path}${body === undefined ? '' : ` ${JSON.stringify(body.value)}`}`,
        );
        return rig.answer(request);
      },
    },
    clock: world.clock,
    recorder: (decision) => void rig.decisions.push(decision),
  });
  const end = async () => {
    await fallback[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  };
  return Object.assign(rig, { [Symbol.asyncDispose]: end });
}

async function crashAndReturn({ world }: Rig, seconds = 12): Promise<void> {
  for (const { name } of world.volumes) world.kernel.crash(world.sourceOf(name) ?? ('' as never));
  await world.clock.advance(1_000);
  for (const { name } of world.volumes) world.serve(name);
  await world.clock.advance(seconds * 1_000);
}

const results = ({ decisions }: Rig) =>
  decisions.flatMap((each) => (each.event === 'fallback' ? `${each.site.podUid} ${each.kind} ${each.result}` : []));

let rig: Rig;
beforeEach(async () => {
  rig = await start();
  return () => rig[Symbol.asyncDispose]();
});

it('evicts by UID through the Eviction API, and ends process 1 of a container', async () => {
  await crashAndReturn(rig);
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace: 'default', name: 'writer' },
    deleteOptions: { preconditions: { uid: 'writer' } },
  };
  expect(rig.requests).toEqual([`POST /api/v1/namespaces/default/pods/writer/eviction ${JSON.stringify(eviction)}`]);
  expect(rig.signals).toEqual(['unlabelled SIGTERM']);
  expect(results(rig).toSorted()).toEqual(['unlabelled restart-container done', 'writer evict done']);
});

it('kills a container that ignores SIGTERM, after its grace', async () => {
  await crashAndReturn(rig, 20);
  expect(rig.signals).toEqual(['unlabelled SIGTERM']);
  await rig.world.clock.advance(30_000);
  expect(rig.signals.slice(0, 2)).toEqual(['unlabelled SIGTERM', 'unlabelled SIGKILL']);
});

it('tries again later if a budget does not allow the eviction, and reports that once', async () => {
  rig.answer = (request) => {
    throw new ApiError(429, request, "Cannot evict pod as it would violate the pod's disruption budget.");
  };
  await crashAndReturn(rig, 110);
  expect(rig.requests.length).toBe(4);
  expect(results(rig).filter((each) => each.startsWith('writer'))).toEqual(['writer evict postponed']);
  rig.answer = () => ({});
  await rig.world.clock.advance(130_000);
  expect(results(rig)).toContain('writer evict done');
});

it('names the flag that grants the right, if it is missing', async () => {
  rig.answer = (request) => {
    throw new ApiError(403, request, 'forbidden');
  };
  await crashAndReturn(rig);
  const failed = rig.decisions.find((each) => each.event === 'fallback' && each.result === 'failed');
  expect(failed).toMatchObject({ detail: expect.stringContaining('deploy the agent with --fallback') });
});

describe('the annotation of a namespace', () => {
  it('counts for pods without one, and is read for those alone that are left alone', async () => {
    await using other = await start({});
    other.answer = ({ method }) =>
      method === 'GET' ? { metadata: { annotations: { 'rekindle.dev/fallback': 'evict' } } } : {};
    await other.world.clock.advance(60_000);
    expect(other.requests).toEqual([]);
    await crashAndReturn(other);
    expect(other.requests[0]).toBe('GET /api/v1/namespaces/default');
    expect(results(other)).toContain('writer evict done');
    expect(results(other)).toContain('unlabelled restart-container refused');
  });
});
