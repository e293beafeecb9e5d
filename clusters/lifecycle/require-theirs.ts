import type { KubernetesObject, V1DaemonSet } from '@kubernetes/client-node';
import type { Api } from '../../recovery/deploy/api.ts';
import { isOurs } from '../../recovery/deploy/foreign.ts';
import { CannotRun } from '../cluster.ts';
import type { AgentDaemonSet } from '../kubernetes/options.ts';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'datasets.data.fluid.io' },
};

/** The implementation that a profile names has to be there, and to be another's than ours. @throws CannotRun */
export async function requireTheirs(
  { read }: Pick<Api, 'read'>,
  { namespace, name, container }: AgentDaemonSet,
): Promise<void> {
  const asked: KubernetesObject = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace, name } };
  const found = (await read(asked)) as V1DaemonSet | undefined;
  const where = `daemonset/${name} in ${namespace}`;
  if (found === undefined)
    throw cannot(
      `the implementation that the profile names is not installed there: no ${where}`,
      'install it first, or judge what Rekindle brings along: --profile rekindle',
    );
  if (isOurs(found)) throw cannot(`${where} is Rekindle's own agent, not what the profile names`, '--profile rekindle');
  const containers = (found.spec?.template.spec?.containers ?? []).map((one) => one.name);
  if (!containers.includes(container))
    throw cannot(
      `${where} has no container ${container}, only ${containers.join(', ')}`,
      'name it in a profile of your own: rekindle profile show fluid > my.yaml, then --profile my.yaml',
    );
  if ((await read(definition)) === undefined)
    throw cannot(
      `${where} is there, but no customresourcedefinition/${definition.metadata.name}`,
      'install all of Fluid',
    );
}

const cannot = (what: string, remedy: string): CannotRun => new CannotRun([{ what, remedy }]);
