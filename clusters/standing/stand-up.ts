import type { KubeConfig, KubernetesObject, V1Service } from '@kubernetes/client-node';
import type { FuseProgram } from '../../fakes/fluid/controller-objects.ts';
import { minioName, minioPort } from '../../fakes/store/minio-objects.ts';
import { runCredentials } from '../../fakes/store/run-credentials.ts';
import { openApi } from '../../recovery/deploy/api.ts';
import { waitReady } from '../../recovery/deploy/wait-ready.ts';
import { type Certificate, createSelfSigned } from '../../recovery/webhook/certificate.ts';
import type { RunningCluster } from '../cluster.ts';
import { applyDefinition } from './apply-definition.ts';
import { bucket, controllersHost, fluidDefinitions, namespaceOf, standingObjects } from './standing-objects.ts';

export interface StandUpOptions {
  readonly kubeConfig: KubeConfig;
  readonly runId: string;
  /** The harness image, which the nodes have or can pull. */
  readonly image: string;
  /** False where Fluid's own stand there: neither its definitions nor its controllers are touched then. */
  readonly fluid: boolean;
  /** What FUSE pods run instead of the fake filesystem. */
  readonly fuse?: FuseProgram | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const timeoutMs = 90_000;

/** Brings up what stands in a cluster, and waits until all of it is ready; where the store is. @throws CannotDeploy */
export async function standUp(options: StandUpOptions): Promise<RunningCluster['store']> {
  const { kubeConfig, runId, image, fluid, fuse, signal, onProgress } = options;
  const api = openApi(kubeConfig);
  const credentials = runCredentials();
  if (fluid) for (const definition of fluidDefinitions(runId)) await applyDefinition(kubeConfig, definition, signal);
  const certificate = await certificateFor(controllersHost(runId));
  const objects = standingObjects({ runId, image, credentials, certificate, fluid, fuse });
  for (const object of objects) {
    signal.throwIfAborted();
    await api.apply(object, { dryRun: false });
  }
  await waitReady({ api, objects, timeoutMs, onProgress, signal });
  const service: KubernetesObject & Pick<V1Service, 'spec'> = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: minioName, namespace: namespaceOf(runId) },
  };
  const found = (await api.read(service)) as typeof service | undefined;
  // By its address: a daemon that starts again does not have to wait for the cluster's DNS.
  return { endpoint: `http://${hostOf(found?.spec?.clusterIP ?? '')}:${minioPort}`, bucket, ...credentials };
}

const day = 86_400_000;

/** For as long as a run can last, and for a clock that is behind. */
function certificateFor(host: string): Promise<Certificate> {
  const now = Date.now();
  return createSelfSigned({ names: [host], notBefore: new Date(now - day), notAfter: new Date(now + 30 * day) });
}

const hostOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);
