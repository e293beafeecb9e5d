import {
  CoreV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  type V1OwnerReference,
  type V1Pod,
} from '@kubernetes/client-node';
import { monotonicNow } from '../../recovery/clock.ts';
import { fail, recordCheck } from '../checks/check.ts';
import { Dataset } from './dataset.ts';
import { clusterScoped, type Manifest } from './manifests.ts';
import { ScenarioPod } from './pod.ts';
import type { Scenario } from './scenario.ts';

/** A tenant's namespace: its API objects, and its datasets and pods by name. */
export class Namespace implements AsyncDisposable {
  readonly scenario: Scenario;
  readonly name: string;
  readonly core: CoreV1Api;
  readonly #custom: CustomObjectsApi;
  readonly #any: KubernetesObjectApi;
  readonly #datasets = new Map<string, Dataset>();
  readonly #pods = new Map<string, ScenarioPod>();
  #mountLinesBefore: number | undefined;

  constructor(scenario: Scenario, name: string) {
    const { kubeConfig } = scenario.session.cluster;
    this.scenario = scenario;
    this.name = name;
    this.core = kubeConfig.makeApiClient(CoreV1Api);
    this.#custom = kubeConfig.makeApiClient(CustomObjectsApi);
    this.#any = KubernetesObjectApi.makeApiClient(kubeConfig);
  }

  async create(): Promise<void> {
    const { namespaceLabels: labels } = this.scenario.session.cluster;
    await this.core.createNamespace({ body: { metadata: { name: this.name, ...(labels && { labels }) } } });
  }

  dataset(name: string): Dataset {
    const dataset = this.#datasets.get(name) ?? new Dataset(this, name);
    this.#datasets.set(name, dataset);
    return dataset;
  }

  get datasets(): readonly Dataset[] {
    return [...this.#datasets.values()];
  }

  pod(name: string): ScenarioPod {
    const pod = this.#pods.get(name) ?? new ScenarioPod(this, name);
    this.#pods.set(name, pod);
    return pod;
  }

  /** Pods with a probe. */
  get observedPods(): readonly ScenarioPod[] {
    return [...this.#pods.values()].filter(({ isObserved }) => isObserved);
  }

  /** Creates any object; pods that ask for no node of their own go to the cluster's application node. */
  async createObject(manifest: Manifest): Promise<void> {
    const { applicationNode: node } = this.scenario.session.cluster;
    const scope = clusterScoped.has(manifest.kind ?? '') ? {} : { namespace: this.name };
    const placed = node === undefined ? manifest : placeOn(node, manifest);
    await this.#any.create({ ...placed, metadata: { ...placed.metadata, ...scope } });
  }

  /** Deletes an object that `createObject` has created. */
  async deleteObject({ apiVersion, kind, metadata }: Manifest): Promise<void> {
    const scope = clusterScoped.has(kind ?? '') ? {} : { namespace: this.name };
    await this.#any.delete({ apiVersion, kind, metadata: { name: metadata?.name ?? '', ...scope } } as Manifest);
  }

  /** Merges metadata into an object of this namespace. */
  async patchMetadata(
    { apiVersion, kind, name }: { readonly apiVersion: string; readonly kind: string; readonly name: string },
    metadata: {
      readonly labels?: Readonly<Record<string, string>>;
      /** Null removes one. */
      readonly annotations?: Readonly<Record<string, string | null>>;
      readonly ownerReferences?: readonly V1OwnerReference[];
    },
  ): Promise<void> {
    // Its type does not know that null removes a value.
    const merged = { ...metadata, name, namespace: this.name } as NonNullable<Manifest['metadata']>;
    const body = { apiVersion, kind, metadata: merged };
    await this.#any.patch(body, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  }

  async listPods(labelSelector: string): Promise<readonly V1Pod[]> {
    return (await this.core.listNamespacedPod({ namespace: this.name, labelSelector })).items;
  }

  /** Phase of a Dataset and the messages of its conditions. */
  async datasetStatus(name: string): Promise<{ readonly phase: string; readonly message: string }> {
    const { status } = await this.#custom.getNamespacedCustomObject({
      group: 'data.fluid.io',
      version: 'v1alpha1',
      namespace: this.name,
      plural: 'datasets',
      name,
    });
    const conditions: readonly { readonly message?: string }[] = status?.conditions ?? [];
    return { phase: status?.phase ?? '', message: conditions.map(({ message = '' }) => message).join('; ') };
  }

  /** Records the mount tables of the node and of all observed pods. Returns their number of lines. */
  async snapshotMounts(label: string): Promise<number> {
    const { cluster, onEvent } = this.scenario.session;
    let count = 0;
    for (const target of [undefined, ...this.observedPods.map(({ container }) => container)]) {
      const lines = await cluster.mountTable(target);
      const where = target ? `${target.namespace}/${target.pod}/${target.container}` : 'node';
      onEvent({ kind: 'snapshot', at: monotonicNow(), where, label, lines });
      count += lines.length;
    }
    if (label === 'before') this.#mountLinesBefore = count;
    return count;
  }

  /** Records the mount tables once more, and in the notes how many lines they had before the fault and have now. */
  async countMounts(): Promise<void> {
    const after = await this.snapshotMounts('after');
    this.scenario.notes.mountLines = { before: this.#mountLinesBefore ?? after, after };
  }

  /** Deletes the namespace. @throws CheckNotPassed if something of it is left on a node */
  async [Symbol.asyncDispose](): Promise<void> {
    const { cluster, leftovers } = this.scenario.session;
    const left = await cluster.release(this.name);
    leftovers.push(...left.map((line) => `${this.name}: ${line}`));
    const title = { name: 'nothing is left of a deleted namespace on a node', claims: [] };
    if (left.length > 0) this.scenario.judge(recordCheck(title, fail(left.join('; '))));
  }
}

/** Leaves pods alone that choose a node themselves, and serverless pods. */
function placeOn(node: string, manifest: Manifest): Manifest {
  const { spec } = manifest;
  const isServerless = 'alibabacloud.com/fluid-sidecar-target' in (manifest.metadata?.labels ?? {});
  if (manifest.kind !== 'Pod' || isServerless || typeof spec !== 'object' || spec === null) return manifest;
  if ('affinity' in spec || 'nodeSelector' in spec) return manifest;
  return { ...manifest, spec: { ...spec, nodeSelector: { 'kubernetes.io/hostname': node } } };
}
