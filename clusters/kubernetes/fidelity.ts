import { minioImage } from '../../fakes/store/minio-objects.ts';
import { formatNs } from '../../src/timeline/duration.ts';
import type { Fidelity } from '../../src/timeline/record.ts';
import type { DeployedAgent } from './agent-control.ts';
import type { NodeLink } from './node-link.ts';

export interface FidelityOptions {
  /** `v1.34.4`. */
  readonly version: string;
  /** Describes the tool that created the cluster. */
  readonly description: string;
  /** What is installed and judged. Absent: our own agent and webhook, and the stand-in of Fluid's controllers. */
  readonly theirs: DeployedAgent | undefined;
  /** The CSI driver of the volumes. Absent: Fluid's. */
  readonly driver: string | undefined;
  /** A daemon of other authors, and its image. Absent: the fake. */
  readonly daemon?: { readonly name: string; readonly image: string } | undefined;
  readonly virtualNodes: readonly string[];
}

/** Which parts of a Kubernetes cluster are real, and which are fakes. */
export function describeFidelity(options: FidelityOptions): Fidelity {
  const { version, description, theirs, driver, daemon, virtualNodes } = options;
  const virtual = `an ordinary node with its label (${virtualNodes.join(', ')}): it imitates a virtual node`;
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
      theirs
        ? { part: 'node plugin', is: `DaemonSet ${theirs.namespace}/${theirs.name}, as it is installed`, fake: false }
        : { part: 'node agent and admission webhook', is: 'the ones for production, in their image', fake: false },
      theirs
        ? { part: 'FUSE process', is: `what ${driver ?? 'Fluid'} starts`, fake: false }
        : daemon
          ? { part: 'FUSE daemon', is: `${daemon.name}, of ${daemon.image}`, fake: false }
          : { part: 'FUSE daemon', is: 'fake filesystem over S3 (libfuse 2), in pods', fake: true },
      ...(theirs === undefined ? [{ part: "Fluid's controllers", is: 'fake, in a pod', fake: true }] : []),
      ...(virtualNodes.length === 0 ? [] : [{ part: 'virtual node', is: virtual, fake: true }]),
      { part: 'object store', is: `MinIO (in the cluster, ${minioImage})`, fake: false },
    ],
  };
}

/** Adds the nodes' clocks, which are known once the nodes are connected. */
export function withNodes(fidelity: Fidelity, nodes: readonly NodeLink[]): Fidelity {
  const clocks = nodes.map(({ facts, clock }) => ({
    part: `clock of ${facts.node}`,
    is:
      clock.errorNs === 0
        ? 'the same as that of the machine that judges'
        : `its times are moved by ${formatNs(-clock.offsetNs)}, measured to within ${formatNs(clock.errorNs)}`,
    fake: false,
  }));
  return { ...fidelity, parts: [...fidelity.parts, ...clocks] };
}
