import { textAt } from '../kubernetes/json.ts';
import type { Mounted } from './pod.ts';

/** Whether a volumeMount is to be given HostToContainer, or why not. */
export interface Propagation {
  readonly set: boolean;
  readonly warning?: string;
}

/**
 * A new mount of the volume on the node is to reach the container. What its author has written stays: Bidirectional reaches it
 * as well, None is warned about. `recursiveReadOnly` is refused by Kubernetes beside any propagation.
 */
export function wantedPropagation({ container, value }: Mounted): Propagation {
  const given = textAt(value, 'mountPropagation');
  const recursive = textAt(value, 'recursiveReadOnly') ?? 'Disabled';
  const at = `container "${container.name}" mounts volume "${textAt(value, 'name') ?? ''}"`;
  if (given === undefined && recursive === 'Disabled') return { set: true };
  if (given === 'None' || given === undefined) {
    const cause = given === undefined ? `recursiveReadOnly ${recursive}` : 'mountPropagation None';
    const remedy = given === undefined ? 'set readOnly alone' : 'remove the field';
    const warning = `${at} with ${cause}, so no new mount of the node reaches it, and only an agent that enters the container can recover it: ${remedy}`;
    return { set: false, warning };
  }
  return { set: false };
}
