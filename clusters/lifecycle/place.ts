import type { KubeConfig } from '@kubernetes/client-node';
import type { Docker } from '../images/docker.ts';

/** What is asked of a cluster that is to be made. */
export interface ClusterWishes {
  /** Ordinary nodes, each with an agent; one more is the virtual node. */
  readonly nodes: number;
  /** Image of the nodes, `kindest/node:vX.Y.Z`; the program's own choice where not given. */
  readonly nodeImage?: string;
  /** Leave it there afterwards. */
  readonly keep: boolean;
  /** Use the cluster of this name, which is made where it is not there, and stays. */
  readonly reuse?: string;
}

export interface PlaceOptions {
  readonly docker: Docker;
  readonly runId: string;
  /** Exists; the kubeconfig is written there. */
  readonly resultsDir: string;
  /** For the nodes' logs, where the cluster does not come up; made where it is not there. */
  readonly diagnosticsDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Takes one line for each step. */
  readonly onProgress: (line: string) => void;
}

/**
 * Where Kubernetes runs, and how its clusters come and go: all in which kind, minikube and an existing cluster differ. `open`
 * resolves once the API server answers; what it has made it takes away when it fails or is told to stop. @throws CannotRun
 */
export interface Place {
  readonly name: 'kind' | 'minikube' | 'existing';
  open(options: PlaceOptions): Promise<OpenPlace>;
}

/** A cluster that answers. Disposing of it deletes what `open` has made, where it is not to be kept. */
export interface OpenPlace extends AsyncDisposable {
  /** As its own program names it. */
  readonly clusterName: string;
  readonly kubeConfig: KubeConfig;
  /** Brings images of Docker onto the nodes; undefined where they come from a registry. */
  readonly loadImages?: (references: readonly string[]) => Promise<void>;
  /** `kind 0.27.0`, for reports. */
  readonly description: string;
  /** What is left when it is disposed of: nothing, the cluster without what the run brought, or all of it. */
  readonly leaves: 'nothing' | 'cluster' | 'everything';
  /** How to use and how to remove what is left, line by line. */
  readonly afterwards: readonly string[];
  /** Whether the cluster is the user's own, in which nothing of anybody's is changed. */
  readonly isForeign: boolean;
}

/** `rekindle-<run>` is removed by `rekindle clean` once the run is dead; a kept one has another name, and is not. */
export function clusterNameOf({ keep, reuse }: Pick<ClusterWishes, 'keep' | 'reuse'>, runId: string): string {
  return reuse ?? (keep ? `rekindle-kept-${runId}` : `rekindle-${runId}`);
}
