import type { KubernetesObject } from '@kubernetes/client-node';
import { titleOf } from './api.ts';
import { CannotDeploy } from './cannot-deploy.ts';
import { managedBy } from './names.ts';

/** Whether an object that is there was put there by a deployment of ours. */
export function isOurs({ metadata }: KubernetesObject): boolean {
  return metadata?.labels?.[managedBy.label] === managedBy.value;
}

/** Rejects where an object of one of our names is somebody else's (seed claim P3). */
export function refuseForeign(found: readonly KubernetesObject[]): void {
  const foreign = found.filter((object) => object.kind !== 'Namespace' && !isOurs(object)).map(titleOf);
  if (foreign.length === 0) return;
  throw new CannotDeploy(
    `${foreign.join(', ')} ${foreign.length === 1 ? 'is' : 'are'} not Rekindle's: another Fluid is installed here`,
    'uninstall it first (helm uninstall fluid), or deploy --beside, which leaves it in charge',
  );
}
