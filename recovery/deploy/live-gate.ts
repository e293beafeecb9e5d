import type { KubernetesObject } from '@kubernetes/client-node';
import { gateIn } from '../agent/other-plugin.ts';
import { listAt, objectAt } from '../kubernetes/json.ts';

/** What the flags of a node plugin's DaemonSet say of the gate; undefined where there is no plugin, or no gate among them. */
export function liveGate(daemonSet: KubernetesObject | undefined): boolean | undefined {
  const containers = listAt(objectAt(daemonSet, 'spec', 'template', 'spec'), 'containers');
  const gates = containers.flatMap(({ command, args }) => gateIn([command, args].flat()) ?? []);
  return gates.length === 0 ? undefined : gates.some(Boolean);
}
