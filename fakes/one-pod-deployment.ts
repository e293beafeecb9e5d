import type { V1Deployment, V1ObjectMeta, V1PodSpec } from '@kubernetes/client-node';

export interface OnePodDeployment {
  /** Its labels are the pod's, too. */
  readonly metadata: V1ObjectMeta;
  /** Labels, among those, that nothing else in the namespace has. */
  readonly selector: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
}

/** A Deployment of one pod, which is gone before another takes its place. */
export function onePodDeployment({ metadata, selector, spec }: OnePodDeployment): V1Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selector },
      template: { metadata: { labels: metadata.labels ?? {} }, spec },
    },
  };
}
