import { describe, expect, it } from 'vitest';
import type { ApiObject, JsonObject } from './api-object.ts';
import { applyOwned, type ManagedFields, ownersAfterUpdate } from './field-owners.ts';
import { strategicMerge } from './patch.ts';
import { findResource } from './resources.ts';
import { StatusError } from './status.ts';

const find = (group: string, version: string, plural: string) => {
  const resource = findResource(group, version, plural);
  if (!resource) throw new Error(`no ${plural}`);
  return resource;
};
const pods = find('', 'v1', 'pods');
const metadata = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '' };

/** Applies objects one after another, each by its manager. */
function apply(...given: readonly (readonly [manager: string, patch: JsonObject, force?: boolean])[]) {
  let old: ApiObject | undefined;
  for (const [manager, patch, force = false] of given) {
    const merged = strategicMerge(old, patch) as JsonObject;
    const { object, owners } = applyOwned({ resource: pods, manager, force, old, patch, merged });
    old = withOwners(object, owners);
  }
  if (!old) throw new Error('nothing was applied');
  return old;
}

const withOwners = (object: JsonObject, managedFields: ManagedFields): ApiObject => ({
  ...object,
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, ...(object.metadata as JsonObject | undefined), managedFields },
});
const withLabels = (labels: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', labels },
});
const withImages = (images: Readonly<Record<string, string>>): JsonObject => ({
  spec: { containers: Object.entries(images).map(([name, image]) => ({ name, image })) },
});
const labels = ({ metadata: { labels } }: ApiObject) => labels ?? {};
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 409) return error.message;
    throw error;
  }
  return 'not refused';
};

describe('server-side apply', () => {
  it('removes what its manager applied before and leaves out now', () => {
    expect(labels(apply(['m', withLabels({ a: '1', b: '1' })], ['m', withLabels({ b: '2' })]))).toEqual({ b: '2' });
  });

  it('removes a map with its last field, and a list’s item', () => {
    expect(apply(['m', withLabels({ a: '1' })], ['m', withLabels({})]).metadata).not.toHaveProperty('labels');
    const { spec } = apply(['m', withImages({ one: 'x', two: 'y' })], ['m', withImages({ two: 'y' })]);
    expect(spec).toEqual({ containers: [{ name: 'two', image: 'y' }] });
  });

  it('keeps what another manager applied, too', () => {
    const shared = apply(['m', withLabels({ a: '1' })], ['n', withLabels({ a: '1' })], ['m', withLabels({ b: '1' })]);
    expect(labels(shared)).toEqual({ a: '1', b: '1' });
  });

  it('refuses to change another manager’s field, with Kubernetes’ words, unless it is forced', () => {
    const first = ['m', { ...withLabels({ a: '1' }), ...withImages({ one: 'x' }) }] as const;
    expect(refusal(() => apply(first, ['n', withLabels({ a: '2' })]))).toBe(
      'Apply failed with 1 conflict: conflict with "m": .metadata.labels.a',
    );
    expect(refusal(() => apply(first, ['n', { ...withLabels({ a: '2' }), ...withImages({ one: 'y' }) }]))).toBe(
      'Apply failed with 2 conflicts: conflicts with "m":\n- .metadata.labels.a\n- .spec.containers[name="one"].image',
    );
    const forced = apply(first, ['n', withLabels({ a: '2' }), true]);
    expect(labels(forced)).toEqual({ a: '2' });
    expect(labels(apply(first, ['n', withLabels({ a: '2' }), true], ['m', withImages({ one: 'x' })]))).toEqual({
      a: '2',
    });
  });

  it('refuses to change what an update took from it', () => {
    const old = apply(['m', withLabels({ a: '1' })]);
    const next = { ...old, metadata: { ...old.metadata, labels: { a: '2' } } };
    const owners = ownersAfterUpdate({ resource: pods, manager: 'editor' }, { old, next });
    const patch = withLabels({ a: '1' });
    const again = () =>
      applyOwned({
        resource: pods,
        manager: 'm',
        force: false,
        old: withOwners(next, owners),
        patch,
        merged: strategicMerge(next, patch) as JsonObject,
      });
    expect(refusal(again)).toBe('Apply failed with 1 conflict: conflict with "editor" using v1: .metadata.labels.a');
  });

  it('replaces a list without keys, and any list of a custom kind, as a whole', () => {
    const datasets = find('data.fluid.io', 'v1alpha1', 'datasets');
    const patch = { spec: { containers: [{ name: 'a' }], mounts: [1, 2] } };
    const { owners } = applyOwned({
      resource: datasets,
      manager: 'm',
      force: false,
      old: undefined,
      patch,
      merged: patch,
    });
    expect(owners).toEqual([
      {
        manager: 'm',
        operation: 'Apply',
        apiVersion: 'data.fluid.io/v1alpha1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:containers': {}, 'f:mounts': {} } },
      },
    ]);
  });
});
