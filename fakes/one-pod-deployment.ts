import type { V1Deployment, V1ObjectMeta, V1PodSpec } from '@kubernetes/client-node';

export interface OnePodDeployment {
  /** Its labels are also those of the pod. */
  readonly metadata: V1ObjectMeta;
  /** A subset of the labels that is unique in the namespace. */
  readonly selector: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
}

/** A Deployment of one pod, which is deleted before its replacement is created. */
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
