import type { V1Container, V1EnvVar, V1Pod } from '@kubernetes/client-node';

/** The environment that a pod's spec gives a container: values, and fields of the pod by `valueFrom.fieldRef`. */
export function containerEnvironment({ env = [] }: V1Container, pod: V1Pod): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map((variable) => [variable.name, fieldOf(variable, pod)]));
}

function fieldOf({ value, valueFrom }: V1EnvVar, { metadata, spec }: V1Pod): string {
  switch (valueFrom?.fieldRef?.fieldPath) {
    case 'metadata.name':
      return metadata?.name ?? '';
    case 'metadata.namespace':
      return metadata?.namespace ?? '';
    case 'metadata.uid':
      return metadata?.uid ?? '';
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    default:
      return value ?? '';
  }
}

/** Expands `$(NAME)`; `$$` is a dollar. Undefined where a variable is missing (`ExpandContainerVolumeMounts`). */
export function expand(text: string, environment: Readonly<Record<string, string>>): string | undefined {
  let missing = false;
  const expanded = text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = environment[name];
    if (value === undefined) missing = true;
    return value ?? all;
  });
  return missing ? undefined : expanded;
}
