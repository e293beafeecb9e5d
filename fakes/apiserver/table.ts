import type { ApiObject, JsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';

/** `12s`, `5m`, `3h`, `2d`: how kubectl writes ages. */
function age(since: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Objects as the `Table` of meta.k8s.io/v1, which `kubectl get` prints. */
export function table(resource: Resource, objects: readonly ApiObject[], version: string, now: Date): JsonObject {
  const plain = resource.columns.filter(({ wide }) => !wide);
  const wide = resource.columns.filter((column) => column.wide);
  const column = (name: string, priority = 0): JsonObject => ({
    name,
    type: 'string',
    format: name === 'Name' ? 'name' : '',
    description: '',
    priority,
  });
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: version },
    columnDefinitions: [
      column('Name'),
      ...plain.map(({ name }) => column(name)),
      column('Age'),
      ...wide.map(({ name }) => column(name, 1)),
    ],
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        ...plain.map(({ read }) => read(object)),
        age(object.metadata.creationTimestamp, now),
        ...wide.map(({ read }) => read(object)),
      ],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}
