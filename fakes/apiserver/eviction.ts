import { selects } from './admission.ts';
import { type ApiObject, type Json, listAt, objectAt, stringAt } from './api-object.ts';
import { plain } from './core-kinds.ts';
import { type DeleteOptions, parseDeleteOptions } from './request-body.ts';
import type { Resource } from './resource.ts';
import { badRequest, forbidden, StatusError } from './status.ts';
import type { Storage } from './storage.ts';
import { checkSpec } from './validation.ts';

/** Its status is the work of a controller, which does not exist here: without one no eviction is allowed, as on a real cluster. */
export const podDisruptionBudget: Resource = {
  ...plain,
  group: 'policy',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  status: 'separate',
  generation: true,
  columns: [{ name: 'Allowed Disruptions', read: (budget) => stringAt(budget, 'status', 'disruptionsAllowed') || '0' }],
  check: checkSpec,
};

/**
 * The deletion that an Eviction amounts to. Throws 429 if the pod's budget allows none, with the sentences of the real one (kubernetes,
 * `pkg/registry/core/pod/storage/eviction.go`). A pod that does not run yet or any more is evicted whatever its budget is.
 */
export function checkEviction(pod: ApiObject, body: Json, store: Storage): DeleteOptions {
  const { name } = pod.metadata;
  if (stringAt(body, 'metadata', 'name') !== name)
    throw badRequest('name in URL does not match name in Eviction object');
  const options = parseDeleteOptions(objectAt(body, 'deleteOptions'), new URLSearchParams());
  if (options.uid !== undefined && options.uid !== pod.metadata.uid) return options;
  const phase = stringAt(pod, 'status', 'phase');
  const isDeleting = pod.metadata.deletionTimestamp !== undefined;
  if (isDeleting || ['Pending', 'Succeeded', 'Failed'].includes(phase)) return options;
  const budgets = store.list(podDisruptionBudget, pod.metadata.namespace).filter((budget) => covers(budget, pod));
  const [budget, ...others] = budgets;
  if (budget === undefined) return options;
  if (others.length > 0) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError(500, '', message);
  }
  const status = objectAt(budget, 'status');
  const number = (key: string) => Number(status[key] ?? 0);
  if (number('observedGeneration') < (budget.metadata.generation ?? 0))
    throw tooMany(`The disruption budget ${budget.metadata.name} is still being processed by the server.`, 10);
  const [desired, current] = [number('desiredHealthy'), number('currentHealthy')];
  if (!isReady(pod) && current >= desired && desired > 0) return options;
  if (number('disruptionsAllowed') < 0)
    throw forbidden(podDisruptionBudget, budget.metadata.name, 'pdb disruptions allowed is negative');
  if (number('disruptionsAllowed') === 0)
    throw tooMany(
      `The disruption budget ${budget.metadata.name} needs ${desired} healthy pods and has ${current} currently`,
    );
  store.put(podDisruptionBudget, {
    ...budget,
    status: { ...budget.status, disruptionsAllowed: number('disruptionsAllowed') - 1 },
  });
  return options;
}

function tooMany(message: string, retryAfterSeconds?: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }];
  return new StatusError(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    retryAfterSeconds === undefined ? { causes } : { causes, retryAfterSeconds },
  );
}

/** A budget without a selector covers nothing, one with an empty selector the whole namespace (policy/v1). */
const covers = (budget: ApiObject, { metadata: { labels = {} } }: ApiObject): boolean =>
  objectAt(budget, 'spec').selector != null && selects(objectAt(budget, 'spec', 'selector'), labels);

const isReady = (pod: ApiObject): boolean =>
  listAt(pod, 'status', 'conditions').some(
    (condition) => stringAt(condition, 'type') === 'Ready' && stringAt(condition, 'status') === 'True',
  );
