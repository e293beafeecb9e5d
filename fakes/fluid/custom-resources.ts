import type { KubernetesObject } from '@kubernetes/client-node';
import { group, version } from './names.ts';

/** A schema in JSON. The client's own type renames some properties, which server-side apply does not translate back. */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'object', additionalProperties: text };
const open = { 'x-kubernetes-preserve-unknown-fields': true } as const;
const list = (items: Schema): Schema => ({ type: 'array', items });
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
  ...open,
});
const quantity: Schema = {
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  pattern:
    '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
};

const secretKey = object({ secretKeyRef: object({ name: text, key: text }, ['name']) });
const datasetSpec = object({
  mounts: list(
    object(
      {
        mountPoint: { type: 'string', minLength: 5 },
        name: text,
        path: text,
        readOnly: { type: 'boolean' },
        shared: { type: 'boolean' },
        options: texts,
        encryptOptions: list(object({ name: text, valueFrom: secretKey }, ['name'])),
      },
      ['mountPoint'],
    ),
  ),
  accessModes: list(text),
});

const level = object(
  {
    mediumtype: { type: 'string', enum: ['MEM', 'SSD', 'HDD'] },
    volumeType: { type: 'string', enum: ['hostPath', 'emptyDir'] },
    path: { type: 'string', minLength: 1 },
    quota: quantity,
    high: text,
    low: text,
  },
  ['mediumtype'],
);
const runtimeSpec = object({
  replicas: { type: 'integer', format: 'int32', minimum: 0 },
  tieredstore: object({ levels: list(level) }),
  fuse: object({ cleanPolicy: { type: 'string', enum: ['', 'OnRuntimeDeleted', 'OnDemand', 'OnFuseChanged'] } }),
});

/**
 * The definitions of Dataset and JindoRuntime, with kubectl columns and the given labels. With them the API server refuses what Fluid's
 * own definitions refuse, naming the field; the controllers validate the rest. Unknown fields are kept.
 */
export function customResources(labels: Readonly<Record<string, string>>): readonly KubernetesObject[] {
  const phase = { name: 'Phase', type: 'string', jsonPath: '.status.phase' };
  const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
  return [
    definition({ kind: 'Dataset', plural: 'datasets', spec: datasetSpec, labels, columns: [phase, age] }),
    definition({
      kind: 'JindoRuntime',
      plural: 'jindoruntimes',
      spec: runtimeSpec,
      labels,
      columns: [{ ...phase, name: 'Worker Phase', jsonPath: '.status.workerPhase' }, age],
    }),
  ];
}

function definition({
  kind,
  plural,
  spec,
  labels,
  columns,
}: {
  readonly kind: string;
  readonly plural: string;
  readonly spec: Schema;
  readonly labels: Readonly<Record<string, string>>;
  readonly columns: { name: string; type: string; jsonPath: string }[];
}): KubernetesObject & Record<string, unknown> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { ...labels } },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), categories: ['fluid'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object', ...open } } } },
        },
      ],
    },
  };
}
