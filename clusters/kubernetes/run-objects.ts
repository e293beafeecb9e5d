import type { KubeConfig, KubernetesObject, V1Service } from '@kubernetes/client-node';
import {
  controllerObjects,
  controllersName,
  type FuseProgram,
  inHarnessImage,
} from '../../fakes/fluid/controller-objects.ts';
import { customResources } from '../../fakes/fluid/custom-resources.ts';
import { createCredentials } from '../../fakes/store/credentials.ts';
import { minioName, minioObjects, minioPort } from '../../fakes/store/minio-objects.ts';
import { monotonicClock } from '../../recovery/clock.ts';
import { openApi } from '../../recovery/deploy/api.ts';
import { waitReady } from '../../recovery/deploy/wait-ready.ts';
import { createTransport } from '../../recovery/kubernetes/transport.ts';
import { type Certificate, createSelfSigned } from '../../recovery/webhook/certificate.ts';
import type { RunningCluster } from '../cluster.ts';
import { nodeProgramDaemonSet } from './node-program/daemon-set.ts';

/** On everything that a run creates in a cluster, also on cluster-scoped objects. Its value is the run's id. */
export const runLabel = 'rekindle.dev/run';

const bucket = 'demo-bucket';

/** The namespace of a run's own objects, except for the agent's. */
export const runNamespace = (runId: string): string => `rekindle-${runId}`;

/** A directory of each node that belongs to the run. */
export const hostDirectory = (runId: string): string => `/var/lib/rekindle/${runId}`;

/** A directory of each node. A FUSE daemon does not mount while its file is there. */
export const holdsDirectory = (runId: string): string => `${hostDirectory(runId)}/holds`;

export interface RunObjectsOptions {
  readonly kubeConfig: KubeConfig;
  readonly runId: string;
  /** The harness image, which the nodes have or can pull. */
  readonly image: string;
  /** False if Fluid itself is installed: then neither its definitions nor its controllers are touched. */
  readonly fluid: boolean;
  /** The program of the FUSE pods. Absent: the fake file system. */
  readonly fuse?: FuseProgram | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const readyTimeoutMs = 90_000;

/** Creates a run's objects and waits until they are ready. Returns the address of the object store. @throws CannotDeploy */
export async function applyRunObjects(options: RunObjectsOptions): Promise<RunningCluster['store']> {
  const { kubeConfig, runId, image, fluid, fuse, signal, onProgress } = options;
  const api = openApi(kubeConfig);
  const credentials = createCredentials();
  const labels = { [runLabel]: runId };
  const namespace = runNamespace(runId);
  if (fluid) for (const definition of customResources(labels)) await applyDefinition(kubeConfig, definition, signal);
  const objects: readonly KubernetesObject[] = [
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
          holds: holdsDirectory(runId),
          labels,
          certificate: await createCertificate(`${controllersName}.${namespace}.svc`),
          fuse,
          namespacePrefix: 'rk-',
        })
      : []),
    nodeProgramDaemonSet({ runId, namespace, image, labels }),
  ];
  for (const object of objects) {
    signal.throwIfAborted();
    await api.apply(object, { dryRun: false });
  }
  await waitReady({ api, objects, timeoutMs: readyTimeoutMs, onProgress, signal });
  const service: KubernetesObject & Pick<V1Service, 'spec'> = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: minioName, namespace },
  };
  const address = ((await api.read(service)) as typeof service | undefined)?.spec?.clusterIP ?? '';
  // An IP address, so that a restarted daemon does not wait for the cluster's DNS.
  const host = address.includes(':') ? `[${address}]` : address;
  return { endpoint: `http://${host}:${minioPort}`, bucket, ...credentials };
}

/** Applies a CustomResourceDefinition verbatim. The client's own serialisation drops the schema keywords that it renames. */
async function applyDefinition(kubeConfig: KubeConfig, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  const name = encodeURIComponent(object.metadata?.name ?? '');
  await createTransport(kubeConfig, monotonicClock).json({
    method: 'PATCH',
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}?fieldManager=rekindle&force=true`,
    body: { contentType: 'application/apply-patch+yaml', value: object },
    signal,
  });
}

const day = 86_400_000;

/** Valid for longer than any run, and also for a clock that is behind. */
function createCertificate(host: string): Promise<Certificate> {
  const now = Date.now();
  return createSelfSigned({ names: [host], notBefore: new Date(now - day), notAfter: new Date(now + 30 * day) });
}
