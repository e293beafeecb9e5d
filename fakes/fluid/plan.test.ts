import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { defaultImages, makeClaim, makeFuseDaemonSet, makeFusePod, makeVolume } from './dataset-objects.ts';
import { demoApp, demoDataset, demoRuntime } from './documented-manifests.ts';
import { behaviourAnnotation, type FluidObject, standbyAnnotation } from './names.ts';
import { type FluidStep, type ObservedDataset, plan } from './plan.ts';
import { validateDataset } from './validate-dataset.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const secretKeys = new Map([['mysecret', new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret'])]]);
const validation = validateDataset(demoDataset, secretKeys);
if (!validation.ok) throw new Error('the documented dataset is refused');
const settings = validation.value;
const now = '2025-01-01T00:00:00.000Z';

const volume = makeVolume(key, 'uid', settings);
const claim = { ...makeClaim(key, 'uid', settings), status: { phase: 'Bound' } };
const daemonSet = makeFuseDaemonSet({ key, settings, runtime: demoRuntime, images: defaultImages });
const app = (change: { nodeName?: string; phase?: string; deleted?: true } = {}): V1Pod => ({
  ...demoApp,
  metadata: {
    ...demoApp.metadata,
    namespace: 'default',
    ...(change.deleted ? { deletionTimestamp: new Date(now) } : {}),
  },
  spec: { containers: [], ...demoApp.spec, ...(change.nodeName === undefined ? {} : { nodeName: change.nodeName }) },
  status: { phase: change.phase ?? 'Running' },
});
const fuse = (nodeName: string, phase = 'Running'): V1Pod => ({
  ...makeFusePod({ key, settings, runtime: demoRuntime, nodeName, images: defaultImages }),
  status: { phase },
});
const observed = (change: Partial<ObservedDataset> = {}): ObservedDataset => ({
  key,
  dataset: demoDataset,
  runtime: demoRuntime,
  secretKeys,
  volume,
  claim,
  daemonSet,
  standbyDaemonSets: [],
  pods: [],
  ...change,
});
const steps = (change: Partial<ObservedDataset> = {}): readonly FluidStep[] =>
  plan(observed(change), defaultImages, now);
const onNodes = (all: readonly FluidStep[]): readonly unknown[] =>
  all.flatMap((step) => (step.do === 'create-on-node' ? [step.pod.spec?.nodeName] : []));
const status = (all: readonly FluidStep[], kind: string): Readonly<Record<string, unknown>> | undefined =>
  all.flatMap((step) => (step.do === 'set-status' && step.object.kind === kind ? [step.status] : []))[0];

describe('the plan for a dataset', () => {
  it('creates DaemonSet, volume, claim and workers, in this order, and no FUSE pod unless one is needed', () => {
    const created = steps({ volume: undefined, claim: undefined, daemonSet: undefined });
    const named = created.flatMap((step) => (step.do === 'create' ? [step.object.metadata?.name] : []));
    expect(named).toEqual([
      'demo-dataset-jindofs-fuse',
      'default-demo-dataset',
      'demo-dataset',
      'demo-dataset-jindofs-worker-0',
      'demo-dataset-jindofs-worker-1',
    ]);
    expect(onNodes(created)).toEqual([]);
    expect(status(created, 'Dataset')).toMatchObject({ phase: 'NotBound' });
  });

  it('is Bound once its claim is, and nothing is left to do then', () => {
    const bound = status(steps(), 'Dataset');
    expect(bound).toMatchObject({ phase: 'Bound', conditions: [{ type: 'Ready', status: 'True' }] });
    const runtime: FluidObject = { ...demoRuntime, status: status(steps(), 'JindoRuntime') ?? {} };
    const again = steps({ dataset: { ...demoDataset, status: bound ?? {} }, runtime });
    expect(again.filter((step) => step.do !== 'create')).toEqual([]);
  });

  it.each<[string, readonly V1Pod[], readonly string[]]>([
    [
      'one for each node in use',
      [app({ nodeName: 'n1' }), app({ nodeName: 'n1' }), app({ nodeName: 'n2' })],
      ['n1', 'n2'],
    ],
    ['none for a pod without a node', [app()], []],
    ['none for a pod that has ended', [app({ nodeName: 'n1', phase: 'Succeeded' })], []],
    ['none for a pod that is being deleted', [app({ nodeName: 'n1', deleted: true })], []],
    ['none if there is one already', [app({ nodeName: 'n1' }), fuse('n1')], []],
    ['one if only another node has one', [app({ nodeName: 'n1' }), fuse('n2')], ['n1']],
  ])('wants FUSE pods: %s', (_what, pods, nodes) => {
    expect(onNodes(steps({ pods }))).toEqual(nodes);
  });

  it('waits for a FUSE pod that is being deleted, and deletes one that has ended', () => {
    const deleted = fuse('n1');
    deleted.metadata = { ...deleted.metadata, deletionTimestamp: new Date(now) };
    expect(onNodes(steps({ pods: [app({ nodeName: 'n1' }), deleted] }))).toEqual([]);
    const ended = steps({ pods: [app({ nodeName: 'n1' }), fuse('n1', 'Failed')] });
    expect(ended).toContainEqual(expect.objectContaining({ do: 'delete' }));
  });

  it('passes credentials to the FUSE pod by a Secret volume only, and its behaviour as an argument', () => {
    const behaviour = '{"readdir":"hang"}';
    const metadata = { ...demoDataset.metadata, annotations: { [behaviourAnnotation]: behaviour } };
    const [step] = steps({ dataset: { ...demoDataset, metadata }, pods: [app({ nodeName: 'n1' })] }).filter(
      (candidate) => candidate.do === 'create-on-node',
    );
    const spec = step?.do === 'create-on-node' ? step.pod.spec : undefined;
    expect(spec?.containers[0]?.args).toEqual([
      '--mountpoint=/jfs/jindofs-fuse',
      '--endpoint=http://127.0.0.1:9000',
      '--bucket=demo-bucket',
      '--prefix=demo/dir',
      '--credentials=/etc/fluid/secrets',
      `--behaviour=${behaviour}`,
    ]);
    expect(spec?.containers[0]?.env).toBeUndefined();
    expect(spec?.volumes).toContainEqual({
      name: 'credentials',
      secret: {
        secretName: 'mysecret',
        items: [
          { key: 'fs.oss.accessKeyId', path: 'accessKeyId' },
          { key: 'fs.oss.accessKeySecret', path: 'accessKeySecret' },
        ],
        defaultMode: 0o400,
      },
    });
  });

  it('gives the DaemonSet the same container and volumes as its pods, as the template for sidecars', () => {
    const { nodeName: _nodeName, ...spec } = fuse('n1').spec ?? {};
    expect(daemonSet.spec?.template.spec).toEqual({
      ...spec,
      nodeSelector: { 'fluid.io/f-default-demo-dataset': 'true' },
    });
    expect(daemonSet.metadata?.labels).toMatchObject({ role: 'jindofs-fuse', release: 'demo-dataset' });
  });

  it('refuses the second dataset of a volume name, and keeps the volume of the first', () => {
    const other = { namespace: 'default-demo', name: 'dataset' };
    const dataset = { ...demoDataset, metadata: other };
    const refused = steps({
      key: other,
      dataset,
      runtime: { ...demoRuntime, metadata: other },
      claim: undefined,
      daemonSet: undefined,
    });
    expect(refused.filter((step) => step.do !== 'set-status')).toEqual([]);
    expect(status(refused, 'Dataset')).toMatchObject({
      phase: 'Failed',
      conditions: [{ message: expect.stringContaining('belongs to the claim default/demo-dataset') }],
    });
  });

  it('never deletes a volume, a claim or a pod that it did not create', () => {
    const foreign = <T extends { metadata?: object }>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, labels: {} },
    });
    const pods = [foreign(fuse('n1')), app({ nodeName: 'n1' })];
    expect(
      steps({
        dataset: undefined,
        volume: foreign(volume),
        claim: foreign(claim),
        daemonSet: foreign(daemonSet),
        pods,
      }),
    ).toEqual([]);
  });

  it.each<[string, Partial<ObservedDataset>]>([
    ['the dataset is gone', { dataset: undefined }],
    ['the runtime is gone', { runtime: undefined }],
    [
      'the runtime is being deleted',
      { runtime: { ...demoRuntime, metadata: { ...demoRuntime.metadata, deletionTimestamp: new Date(now) } } },
    ],
  ])('deletes everything when %s', (_what, change) => {
    const pods = [app({ nodeName: 'n1' }), fuse('n1')];
    const gone = steps({ ...change, pods }).flatMap((step) => (step.do === 'delete' ? [step.object] : []));
    expect(gone).toEqual([pods[1], daemonSet, claim, volume]);
  });

  describe('with standbys', () => {
    const ask = (standbys: string): FluidObject => ({
      ...demoDataset,
      metadata: { ...demoDataset.metadata, annotations: { [standbyAnnotation]: standbys } },
    });
    const set = (standby: number) =>
      makeFuseDaemonSet({ key, settings, runtime: demoRuntime, images: defaultImages, standby });
    const pod = (standby: number, nodeName = 'n1') =>
      makeFusePod({ key, settings, runtime: demoRuntime, nodeName, images: defaultImages, standby });

    it('creates a DaemonSet for each, and a pod of each on each node in use', () => {
      const all = steps({ dataset: ask('2'), pods: [app({ nodeName: 'n1' }), fuse('n1'), pod(1)] });
      const names = all.flatMap((step) => (step.do === 'create' ? [step.object.metadata?.name] : []));
      expect(names.slice(0, 2)).toEqual(['demo-dataset-jindofs-fuse-standby-0', 'demo-dataset-jindofs-fuse-standby-1']);
      const created = all.flatMap((step) => (step.do === 'create-on-node' ? [step.pod] : []));
      expect(created.map(({ metadata }) => metadata?.labels?.role)).toEqual(['jindofs-fuse-standby-0']);
    });

    it('shares no directory of the host with another daemon, except below the directory of its dataset', () => {
      const paths = [fuse('n1'), pod(0), pod(1)].map(({ spec }) => spec?.volumes?.[0]?.hostPath?.path);
      const directory = '/runtime-mnt/jindo/default/demo-dataset';
      expect(paths).toEqual([directory, `${directory}/standby-0`, `${directory}/standby-1`]);
    });

    it('is found by its own labels, and never by the selector of the document or of the active DaemonSet', () => {
      const labels = pod(0).metadata?.labels;
      expect(labels).toMatchObject({ 'rekindle.dev/standby-of': 'demo-dataset', role: 'jindofs-fuse-standby-0' });
      expect(set(0).spec?.selector.matchLabels).toEqual({
        app: 'jindo',
        role: 'jindofs-fuse-standby-0',
        release: 'demo-dataset',
      });
      expect(set(0).metadata?.labels).toMatchObject({ 'rekindle.dev/standby-of': 'demo-dataset' });
    });

    it('removes those that are not asked for any more, and leaves the daemon that is active', () => {
      const pods = [app({ nodeName: 'n1' }), fuse('n1'), pod(0), pod(1)];
      const standbyDaemonSets = [set(0), set(1)];
      const removed = (dataset: FluidObject) =>
        steps({ dataset, pods, standbyDaemonSets }).flatMap((step) => (step.do === 'delete' ? [step.object] : []));
      expect(removed(ask('2'))).toEqual([]);
      expect(removed(ask('1'))).toEqual([set(1), pod(1)]);
      expect(removed(demoDataset)).toEqual([set(0), set(1), pod(0), pod(1)]);
    });

    it('removes all of them when the dataset is gone', () => {
      const gone = steps({ dataset: undefined, pods: [fuse('n1'), pod(0)], standbyDaemonSets: [set(0)] });
      expect(gone.flatMap((step) => (step.do === 'delete' ? [step.object] : []))).toEqual(
        [fuse('n1'), pod(0), set(0), daemonSet, claim, volume].map((object) =>
          expect.objectContaining({ metadata: object.metadata }),
        ),
      );
    });

    it.each(['0', '4', '1.5', 'yes', ''])('refuses %j, and says what it takes', (standbys) => {
      const [event] = steps({ dataset: ask(standbys) }).flatMap((step) =>
        step.do === 'set-status' ? step.events : [],
      );
      expect(event?.message).toContain('metadata.annotations.rekindle.dev/standby: must be "1", "2" or "3"');
    });
  });

  it('names the wrong field of the runtime, in the condition and in an event', () => {
    const spec = { tieredstore: { levels: [{ mediumtype: 'NVME', path: '/mnt' }] } };
    const refused = steps({ runtime: { ...demoRuntime, spec } });
    expect(status(refused, 'Dataset')).toMatchObject({ phase: 'Failed' });
    const events = refused.flatMap((step) => (step.do === 'set-status' ? step.events : []));
    expect(events).toEqual([
      expect.objectContaining({ type: 'Warning', message: expect.stringContaining('levels[0].mediumtype') }),
    ]);
  });
});
