import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { defaultImages, makeClaim, makeFuseDaemonSet, makeVolume, makeWorkerPod } from './dataset-objects.ts';
import { behaviourAnnotation, type FluidObject, standbyAnnotation } from './names.ts';
import { type FluidStep, type ObservedDataset, plan } from './plan.ts';
import { demoDataset, demoRuntime } from './testing/documented-manifests.ts';
import { validateDataset } from './validate-dataset.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const secretKeys = new Map([['mysecret', new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret'])]]);
const validation = validateDataset(demoDataset, secretKeys);
if (!validation.ok) throw new Error('the documented dataset is refused');
const settings = validation.value;
const now = '2025-01-01T00:00:00.000Z';

const volume = makeVolume(key, 'uid', settings);
const claim = { ...makeClaim(key, 'uid', settings), status: { phase: 'Bound' } };
const daemonSet = makeFuseDaemonSet({ key, uid: 'uid', settings, runtime: demoRuntime, images: defaultImages });
const worker = (index: number, phase = 'Running'): V1Pod => ({
  ...makeWorkerPod({ key, runtime: demoRuntime, index, images: defaultImages }),
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
  nodes: [],
  ...change,
});
const steps = (change: Partial<ObservedDataset> = {}): readonly FluidStep[] =>
  plan(observed(change), defaultImages, now);
const status = (all: readonly FluidStep[], kind: string): Readonly<Record<string, unknown>> | undefined =>
  all.flatMap((step) => (step.do === 'set-status' && step.object.kind === kind ? [step.status] : []))[0];

describe('the plan for a dataset', () => {
  it('creates DaemonSet, volume, claim and workers, in this order, and leaves FUSE pods to the DaemonSet', () => {
    const created = steps({ volume: undefined, claim: undefined, daemonSet: undefined });
    const named = created.flatMap((step) => (step.do === 'create' ? [step.object.metadata?.name] : []));
    expect(named).toEqual([
      'demo-dataset-jindofs-fuse',
      'default-demo-dataset',
      'demo-dataset',
      'demo-dataset-jindofs-worker-0',
      'demo-dataset-jindofs-worker-1',
    ]);
    expect(status(created, 'Dataset')).toMatchObject({ phase: 'NotBound' });
  });

  it('is Bound once its claim is, and nothing is left to do then', () => {
    const bound = status(steps(), 'Dataset');
    expect(bound).toMatchObject({ phase: 'Bound', conditions: [{ type: 'Ready', status: 'True' }] });
    const runtime: FluidObject = { ...demoRuntime, status: status(steps(), 'JindoRuntime') ?? {} };
    const again = steps({ dataset: { ...demoDataset, status: bound ?? {} }, runtime });
    expect(again.filter((step) => step.do !== 'create')).toEqual([]);
  });

  it('deletes a worker that has ended', () => {
    const ended = steps({ pods: [worker(0), worker(1, 'Failed')] });
    expect(ended.flatMap((step) => (step.do === 'delete' ? [step.object] : []))).toEqual([worker(1, 'Failed')]);
  });

  it('passes credentials to the FUSE pod by a Secret volume only, and its behaviour as an argument', () => {
    const behaviour = '{"readdir":"hang"}';
    const metadata = { ...demoDataset.metadata, annotations: { [behaviourAnnotation]: behaviour } };
    const [step] = steps({ dataset: { ...demoDataset, metadata }, daemonSet: undefined });
    const object = step?.do === 'create' && 'spec' in step.object ? (step.object as V1DaemonSet) : undefined;
    const spec = object?.spec?.template.spec;
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

  it('updates the DaemonSet if the next daemon must behave in another way, and only then', () => {
    const metadata = { ...demoDataset.metadata, annotations: { [behaviourAnnotation]: '{"readdir":"hang"}' } };
    const updates = (change: Partial<ObservedDataset>) =>
      steps(change).flatMap((step) => (step.do === 'update' ? [step.daemonSet] : []));
    expect(updates({})).toEqual([]);
    const [updated] = updates({ dataset: { ...demoDataset, metadata } });
    expect(updated?.spec?.template.spec?.containers[0]?.args).toContain('--behaviour={"readdir":"hang"}');
    const foreign = { ...daemonSet, metadata: { ...daemonSet.metadata, labels: {} } };
    expect(updates({ dataset: { ...demoDataset, metadata }, daemonSet: foreign })).toEqual([]);
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
    const pods = [foreign(worker(0))];
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
    const gone = steps({ ...change, pods: [worker(0)] });
    expect(gone.flatMap((step) => (step.do === 'delete' ? [step.object] : []))).toEqual([
      daemonSet,
      worker(0),
      claim,
      volume,
    ]);
  });

  it('takes the label that places its daemons from the nodes first, when the dataset is gone', () => {
    const node = (name: string, labels: Record<string, string>): V1Node => ({ metadata: { name, labels } });
    const label = 'fluid.io/f-default-demo-dataset';
    const nodes = [node('n1', { [label]: 'true' }), node('n2', {}), node('n3', { [label]: 'true', other: 'true' })];
    expect(steps({ dataset: undefined, nodes }).slice(0, 2)).toEqual([
      { do: 'remove-label', node: 'n1', label },
      { do: 'remove-label', node: 'n3', label },
    ]);
    expect(steps({ nodes }).some((step) => step.do === 'remove-label')).toBe(false);
  });

  describe('with standbys', () => {
    const ask = (standbys: string): FluidObject => ({
      ...demoDataset,
      metadata: { ...demoDataset.metadata, annotations: { [standbyAnnotation]: standbys } },
    });
    const set = (standby: number) =>
      makeFuseDaemonSet({ key, uid: 'uid', settings, runtime: demoRuntime, images: defaultImages, standby });

    it('creates a DaemonSet for each', () => {
      const all = steps({ dataset: ask('2'), standbyDaemonSets: [set(1)] });
      const names = all.flatMap((step) => (step.do === 'create' ? [step.object.metadata?.name] : []));
      expect(names[0]).toBe('demo-dataset-jindofs-fuse-standby-0');
      expect(names).not.toContain('demo-dataset-jindofs-fuse-standby-1');
    });

    it('shares no directory of the host with another daemon, except below the directory of its dataset', () => {
      const paths = [daemonSet, set(0), set(1)].map(({ spec }) => spec?.template.spec?.volumes?.[0]?.hostPath?.path);
      const directory = '/runtime-mnt/jindo/default/demo-dataset';
      expect(paths).toEqual([directory, `${directory}/standby-0`, `${directory}/standby-1`]);
    });

    it('is found by its own labels, and never by the selector of the document or of the active DaemonSet', () => {
      const labels = set(0).spec?.template.metadata?.labels;
      expect(labels).toMatchObject({ 'rekindle.dev/standby-of': 'demo-dataset', role: 'jindofs-fuse-standby-0' });
      expect(set(0).spec?.selector.matchLabels).toEqual({
        app: 'jindo',
        role: 'jindofs-fuse-standby-0',
        release: 'demo-dataset',
      });
      expect(set(0).metadata?.labels).toMatchObject({ 'rekindle.dev/standby-of': 'demo-dataset' });
    });

    it('removes those that are not asked for any more, and leaves the DaemonSet of the active one', () => {
      const standbyDaemonSets = [set(0), set(1)];
      const removed = (dataset: FluidObject) =>
        steps({ dataset, standbyDaemonSets }).flatMap((step) => (step.do === 'delete' ? [step.object] : []));
      expect(removed(ask('2'))).toEqual([]);
      expect(removed(ask('1'))).toEqual([set(1)]);
      expect(removed(demoDataset)).toEqual([set(0), set(1)]);
    });

    it('removes all of them when the dataset is gone', () => {
      const gone = steps({ dataset: undefined, standbyDaemonSets: [set(0)] });
      expect(gone.flatMap((step) => (step.do === 'delete' ? [step.object] : []))).toEqual([
        set(0),
        daemonSet,
        claim,
        volume,
      ]);
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
