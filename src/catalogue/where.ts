import { kubernetesCapabilities, sandboxCapabilities } from '../../clusters/capabilities.ts';
import type { Capability } from '../../clusters/cluster.ts';
import { missingFor } from '../scenario/needs.ts';

/** Capabilities of each kind of cluster. kind, minikube and existing clusters have the same. */
const places = { sandbox: sandboxCapabilities, Kubernetes: kubernetesCapabilities };

/** Describes where a scenario with these tags can run. */
export function whereItRuns(tags: readonly string[]): string {
  const missing = (capabilities: Iterable<Capability>) => missingFor(tags, { capabilities: new Set(capabilities) });
  const can = Object.entries(places).filter(
    ([, { always, onSomeMachines }]) => missing([...always, ...onSomeMachines]) === undefined,
  );
  const needs = new Set(can.flatMap(([, { always }]) => missing(always) ?? []));
  const long = tags.includes('@long') ? ', only where @long is asked for' : '';
  return `${[can.map(([name]) => name).join(', ') || 'nowhere', ...needs].join('; ')}${long}`;
}
