import { minioImage } from '../../fakes/store/start-minio-container.ts';
import type { Fidelity } from '../../src/timeline/record.ts';

/** What is real on a Kubernetes cluster, and what stands in for what. */
export function fidelityOf({
  version,
  description,
  fluid,
  daemon,
  virtualNodes,
}: {
  /** `v1.34.4`. */
  readonly version: string;
  /** Of the program that made the cluster. */
  readonly description: string;
  /** Whether Fluid's controllers are ours. */
  readonly fluid: boolean;
  /** One that others wrote, and its image; absent: the fake. */
  readonly daemon?: { readonly name: string; readonly image: string } | undefined;
  readonly virtualNodes: readonly string[];
}): Fidelity {
  const virtual =
    virtualNodes.length === 0
      ? []
      : [
          {
            part: 'virtual node',
            is: `an ordinary node with its label (${virtualNodes.join(', ')}): it imitates a virtual node`,
            fake: true,
          },
        ];
  return {
    place: `Kubernetes ${version}`,
    clockScale: 1,
    parts: [
      { part: 'kernel FUSE', is: 'real', fake: false },
      {
        part: 'kubelet, API server, scheduler, container runtime',
        is: `real: Kubernetes ${version} (${description})`,
        fake: false,
      },
      { part: 'node agent and admission webhook', is: 'the ones for production, in their image', fake: false },
      daemon
        ? { part: 'FUSE daemon', is: `${daemon.name}, of ${daemon.image}`, fake: false }
        : { part: 'FUSE daemon', is: 'fake filesystem over S3 (libfuse 2), in pods', fake: true },
      ...(fluid ? [{ part: "Fluid's controllers", is: 'fake, in a pod', fake: true }] : []),
      ...virtual,
      { part: 'object store', is: `MinIO (in the cluster, ${minioImage})`, fake: false },
    ],
  };
}
