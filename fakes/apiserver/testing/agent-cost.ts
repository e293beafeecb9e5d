import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { CoreV1Api } from '@kubernetes/client-node';
import { monotonicClock } from '../../../recovery/clock.ts';
import type { MountSite, Nanoseconds } from '../../../recovery/engine/model.ts';
import type { ClockPort } from '../../../recovery/engine/ports.ts';
import { eventsFor } from '../../../recovery/engine/record.ts';
import { createModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { createEventQueue } from '../../../recovery/kubernetes/event-queue.ts';
import { createEventSender } from '../../../recovery/kubernetes/event-sender.ts';
import { type Kubernetes, watchKubernetes } from '../../../recovery/kubernetes/kubernetes.ts';
import { createTransport, type Transport } from '../../../recovery/kubernetes/transport.ts';
import { startApiServer } from '../api-server.ts';
import { clientConfig } from '../client-config.ts';

/** What an agent costs the API server; `bytes` are those of all responses. */
export interface AgentCost {
  readonly requests: number;
  readonly bytes: number;
}

export interface AgentCosts {
  /** Objects that the agent's lists contain. */
  readonly watched: number;
  readonly start: AgentCost;
  readonly crash: AgentCost;
  readonly idleHour: AgentCost;
}

export interface CostOptions {
  /** Pods of other nodes, each with a claim and a volume of its own. Each pod changes once in the idle hour. */
  readonly foreign: number;
  /** Pods of this node, of one dataset. */
  readonly pods: number;
  /** As with `--read-write-scope=cluster`. */
  readonly allVolumes?: boolean;
}

const namespace = 'default';
const nodeName = 'here';
const stepMs = 10_000;
/** With it a pod has the 12 kB that pods have. */
const padding = 'x'.repeat(11_000);

/** Runs the agent's side of the API against the stand-in of the API server, an hour of it in modelled time. */
export async function measureAgentCost({ foreign, pods, allVolumes = false }: CostOptions): Promise<AgentCosts> {
  await using server = await startApiServer({ port: 0, historyLength: 100_000 });
  const config = clientConfig(server.kubeConfig);
  const core = config.makeApiClient(CoreV1Api);
  const own = Array.from({ length: pods }, (_, index) => `app-${index}`);
  const others = Array.from({ length: foreign }, (_, index) => `foreign-${index}`);
  await createVolume(core, { claim: 'demo', driver: 'fuse.csi.fluid.io' });
  for (const name of own) await createPod(core, { name, claim: 'demo', node: nodeName });
  for (const name of others) {
    await createVolume(core, { claim: name, driver: 'ebs.csi.aws.com' });
    await createPod(core, { name, claim: name, node: 'elsewhere' });
  }

  const clock = createModelledClock();
  const traffic = countTraffic(createTransport(config, clock), clock);
  const { transport } = traffic;
  const onError = (kind: string, error: unknown) => {
    throw new Error(kind, { cause: error });
  };
  const settings = { transport, nodeName, mountRoot: '/runtime-mnt', allVolumes, clock, random: () => 0.5 };
  await using kubernetes = watchKubernetes({ ...settings, onError, onRecovered: () => {} });
  await kubernetes.synced;
  const spend = async (ms: number): Promise<AgentCost> => {
    for (let spent = 0; spent < ms; spent += stepMs) {
      await clock.advance(stepMs);
      // A response takes no modelled time.
      await traffic.idle();
    }
    return traffic.take();
  };
  const start = await spend(stepMs);
  const { watched } = traffic;
  await recordCrash(kubernetes, transport);
  const crash = traffic.take();
  for (const name of [...own, ...others]) await touchPod(core, name);
  return { watched, start, crash, idleHour: await spend(3_600_000) };
}

async function createVolume(core: CoreV1Api, { claim, driver }: { readonly claim: string; readonly driver: string }) {
  const resources = { requests: { storage: '1Gi' } };
  const accessModes = ['ReadOnlyMany'];
  const volumeName = `${namespace}-${claim}`;
  await core.createNamespacedPersistentVolumeClaim({
    namespace,
    body: { metadata: { name: claim }, spec: { accessModes, resources, volumeName } },
  });
  const volumeAttributes = { fluid_path: `/runtime-mnt/jindo/${namespace}/${claim}/jindofs-fuse`, mount_type: 'jindo' };
  await core.createPersistentVolume({
    body: {
      metadata: { name: volumeName, annotations: { 'pv.kubernetes.io/provisioned-by': driver } },
      spec: {
        accessModes,
        capacity: { storage: '1Gi' },
        claimRef: { namespace, name: claim },
        csi: { driver, volumeHandle: volumeName, volumeAttributes },
      },
    },
  });
}

async function createPod(
  core: CoreV1Api,
  { name, claim, node }: { readonly name: string; readonly claim: string; readonly node: string },
) {
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name, annotations: { padding } },
      spec: {
        nodeName: node,
        containers: [{ name: 'main', image: 'demo', volumeMounts }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }],
      },
    },
  });
}

async function touchPod(core: CoreV1Api, name: string): Promise<void> {
  const pod = await core.readNamespacedPod({ namespace, name });
  await core.replaceNamespacedPodStatus({ namespace, name, body: { ...pod, status: { message: 'changed' } } });
}

/** Sends the events of a crash: the daemon dies, all pods wait, and all are recovered. */
async function recordCrash(kubernetes: Kubernetes, transport: Transport): Promise<void> {
  const { volumes, pods } = kubernetes.view();
  const [volume] = volumes.filter(({ name }) => name === `${namespace}-demo`);
  if (volume === undefined) throw new Error('the agent does not know the volume');
  let now = Date.now();
  const signal = new AbortController().signal;
  const sender = createEventSender({
    transport,
    nodeName,
    randomHex: (digits) =>
      Math.random()
        .toString(16)
        .slice(2, 2 + digits)
        .padEnd(digits, '0'),
    now: () => new Date(now),
    signal,
    clock: monotonicClock,
  });
  const sent = Promise.withResolvers<void>();
  let expected = 0;
  await using events = createEventQueue({
    sender: {
      async create(draft, seen) {
        const name = await sender.create(draft, seen);
        expected -= 1;
        if (expected === 0) sent.resolve();
        return name;
      },
      count: sender.count,
    },
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms;
    },
    onDropped: ({ reason }) => sent.reject(new Error(`dropped: ${reason}`)),
  });
  const objects = { volumes, podsByUid: new Map(pods.map((pod) => [pod.uid, pod])) };
  const took = 2_000_000n as Nanoseconds;
  const decisions = pods.flatMap(({ uid: podUid }) => {
    const target: MountSite = { kind: 'target', podUid, path: '/t' };
    const container: MountSite = {
      kind: 'container',
      podUid,
      container: 'main',
      mountNamespace: '',
      pid: 1,
      path: '/data',
    };
    return [
      { event: 'skipped', volume, site: target, reason: 'source-not-live', detail: 'the daemon is down' },
      { event: 'recovered', volume, site: container, took },
    ] as const;
  });
  const drafts = decisions.flatMap((decision) => eventsFor(decision, objects));
  expected = drafts.filter(({ isAggregated }) => !isAggregated).length + 1;
  for (const draft of drafts) events.push(draft);
  await sent.promise;
}

/** Counts requests and bytes. Ends each watch after the time that it asks for, as the API server would. */
function countTraffic({ json, stream }: Transport, clock: ClockPort) {
  let cost: AgentCost = { requests: 0, bytes: 0 };
  let watched = 0;
  let active = 0;
  const add = (requests: number, bytes: number) => {
    cost = { requests: cost.requests + requests, bytes: cost.bytes + bytes };
  };
  const transport: Transport = {
    async json(request) {
      active += 1;
      add(1, 0);
      try {
        const body = await json(request);
        add(0, Buffer.byteLength(JSON.stringify(body)));
        const items = (body as { readonly items?: readonly unknown[] }).items;
        watched += items?.length ?? 0;
        return body;
      } finally {
        active -= 1;
      }
    },
    async stream(request) {
      active += 1;
      const response = await stream(request).finally(() => {
        active -= 1;
      });
      add(1, 0);
      const seconds = Number(new URL(request.path, 'http://api').searchParams.get('timeoutSeconds'));
      const body = new PassThrough();
      clock.after((BigInt(seconds) * 1_000_000_000n) as Nanoseconds, () => body.end());
      response.on('data', (chunk: Buffer) => {
        add(0, chunk.length);
        if (!body.writableEnded) body.write(chunk);
      });
      response.on('error', (error) => body.destroy(error));
      body.on('close', () => response.destroy());
      return body as never;
    },
  };
  return {
    transport,
    get watched() {
      return watched;
    },
    take(): AgentCost {
      const taken = cost;
      cost = { requests: 0, bytes: 0 };
      return taken;
    },
    async idle(): Promise<void> {
      do await new Promise<void>((resolve) => void setImmediate(resolve));
      while (active > 0);
    },
  };
}

function format(size: string, { watched, start, crash, idleHour }: AgentCosts): string {
  const cost = ({ requests, bytes }: AgentCost) => `${requests} requests, ${(bytes / 1024).toFixed(0)} KiB`;
  return `${size}: ${watched} objects listed; start ${cost(start)}; crash ${cost(crash)}; idle hour ${cost(idleHour)}`;
}

/** `node fakes/apiserver/testing/agent-cost.ts [FOREIGN [PODS]]`: at once and ten times the size of the cluster. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [foreign = 100, pods = 10] = process.argv.slice(2).map(Number);
  for (const allVolumes of [false, true]) {
    process.stdout.write(allVolumes ? '--read-write-scope=cluster\n' : '');
    for (const times of [1, 10]) {
      const costs = await measureAgentCost({ foreign: foreign * times, pods, allVolumes });
      process.stdout.write(`${format(`${foreign * times} pods, claims and volumes of others`, costs)}\n`);
    }
  }
}
