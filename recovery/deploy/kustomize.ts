/**
 * Writes the kustomize base for `kubectl apply -k recovery/deploy/kustomize`. Run `node recovery/deploy/kustomize.ts` after a change;
 * a test compares the base with the objects that `rekindle deploy` applies.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubernetesObject } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { manifests } from './manifests.ts';
import { defaultOptions } from './options.ts';

const base = fileURLToPath(new URL('./kustomize', import.meta.url));

/** The files of the base by name, one for each object, in the order in which they must be applied. */
export function kustomizeBase(): ReadonlyMap<string, string> {
  const objects = manifests(defaultOptions);
  const files = new Map(objects.map((object) => [fileName(object), toYaml([object])]));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...files.keys()],
  };
  return new Map([['kustomization.yaml', stringify(kustomization)], ...files]);
}

/** YAML documents for kubectl. */
export function toYaml(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}

const fileName = ({ kind = '', metadata }: KubernetesObject) =>
  `${kind.toLowerCase()}-${(metadata?.name ?? '').replaceAll(/[^a-z0-9-]/g, '-')}.yaml`;

if (import.meta.main) {
  rmSync(base, { recursive: true, force: true });
  mkdirSync(base);
  for (const [name, text] of kustomizeBase()) writeFileSync(join(base, name), text);
}
