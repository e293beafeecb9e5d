import type { KubernetesObject } from '@kubernetes/client-node';
import {
  controllerObjects,
  controllersName,
  type FuseProgram,
  inHarnessImage,
} from '../../fakes/fluid/controller-objects.ts';
import { customResources } from '../../fakes/fluid/custom-resources.ts';
import { minioObjects } from '../../fakes/store/minio-objects.ts';
import type { Credentials } from '../../fakes/store/s3/request.ts';
import type { Certificate } from '../../recovery/webhook/certificate.ts';
import { nodeProgramDaemonSet } from '../kubernetes/node-program/daemon-set.ts';

/** On all that a run puts into a cluster, cluster-scoped objects too; its value is the run's id. */
export const runLabel = 'rekindle.dev/run';

export const bucket = 'demo-bucket';

export interface StandingOptions {
  readonly runId: string;
  /** The harness image, which the nodes have. */
  readonly image: string;
  readonly credentials: Credentials;
  /** Of Fluid's controllers, as `controllersHost` says. */
  readonly certificate: Certificate;
  /** Whether Fluid's controllers are ours. */
  readonly fluid: boolean;
  /** What FUSE pods run instead of the fake filesystem. */
  readonly fuse?: FuseProgram | undefined;
}

/** Namespace of all that stands in a cluster for a run, but for the agent. */
export const namespaceOf = (runId: string): string => `rekindle-${runId}`;

/** Name of the controllers' Service, as the API server calls it. */
export const controllersHost = (runId: string): string => `${controllersName}.${namespaceOf(runId)}.svc`;

/** Directory of each node that is the run's. */
export const hostDirectoryOf = (runId: string): string => `/var/lib/rekindle/${runId}`;

/** Directory of each node in which a file keeps a daemon from mounting. */
export const holdsOf = (runId: string): string => `${hostDirectoryOf(runId)}/holds`;

/** The definitions of Dataset and JindoRuntime, which outlast no run; absent where somebody's stand there already. */
export function fluidDefinitions(runId: string): readonly KubernetesObject[] {
  return customResources({ [runLabel]: runId });
}

/** What stands for Fluid, OSS and the harness's hands, in the order in which it is applied. */
export function standingObjects({
  runId,
  image,
  credentials,
  certificate,
  fluid,
  fuse,
}: StandingOptions): readonly KubernetesObject[] {
  const labels = { [runLabel]: runId };
  const namespace = namespaceOf(runId);
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'privileged' } },
    },
    ...minioObjects({ namespace, labels, bucket, credentials, image, bucketProgram: inHarnessImage.bucket }),
    ...(fluid
      ? controllerObjects({
          namespace,
          clusterName: `rekindle-fluid-${runId}`,
          image,
          holds: holdsOf(runId),
          labels,
          certificate,
          fuse,
          namespacePrefix: 'rk-',
        })
      : []),
    nodeProgramDaemonSet({ namespace, image, labels }),
  ];
}
