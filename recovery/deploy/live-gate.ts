import type { KubernetesObject, V1DaemonSet } from '@kubernetes/client-node';
import { names } from './names.ts';

/**
 * Whether the gate of a node plugin is on; undefined where there is no plugin, or no gate among its flags. Read as the plugin
 * itself reads it: the last word counts.
 */
export function liveGate(object: KubernetesObject | undefined): boolean | undefined {
  const { spec } = (object ?? {}) as V1DaemonSet;
  const plugin = spec?.template.spec?.containers.find(({ name }) => name === names.agentContainer);
  const gates = [...(plugin?.command ?? []), ...(plugin?.args ?? [])].join(' ').matchAll(/FuseRecovery=(\w+)/g);
  const value = [...gates].at(-1)?.[1];
  return value === undefined ? undefined : /^(1|t|true)$/i.test(value);
}
