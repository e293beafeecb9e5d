import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { formatNs } from '../../src/timeline/duration.ts';
import { CannotRun } from '../cluster.ts';
import type { ToolContext } from '../tool.ts';
import type { Docker } from './docker.ts';
import { loadImages } from './images.ts';

/** What kind or minikube is asked to create. Data only, because it is sent to other processes. */
export interface ClusterRequest {
  /** Ordinary nodes, each with an agent. One more node is the virtual node. */
  readonly nodes: number;
  /** Image of the nodes, `kindest/node:vX.Y.Z`. Absent: the tool's default. */
  readonly nodeImage?: string;
  /** Keep the cluster after the run. */
  readonly keep: boolean;
  /** Use the cluster of this name, or create it if it does not exist. It is kept. */
  readonly reuse?: string;
  /** Which of a run's clusters it is, from 1. The names of all but the first end with it. */
  readonly ordinal?: number;
}

export interface ProviderOptions {
  readonly docker: Docker;
  readonly runId: string;
  /** Exists. The kubeconfig is written there. */
  readonly resultsDir: string;
  /** Receives the nodes' logs if the cluster does not start. Created on demand. */
  readonly diagnosticsDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Receives one line for each step. */
  readonly onProgress: (line: string) => void;
}

/** How kind, minikube and an existing cluster differ: in creation and in removal. */
export interface ClusterProvider {
  readonly name: 'kind' | 'minikube' | 'existing';
  /** Resolves once the cluster exists. Removes what it created if it fails or is aborted. @throws CannotRun */
  open(options: ProviderOptions): Promise<ProvidedCluster>;
}

/** A cluster that exists. Disposing of it deletes it, unless it is kept. */
export interface ProvidedCluster extends AsyncDisposable {
  /** The tool's own name for it. */
  readonly clusterName: string;
  readonly kubeConfig: KubeConfig;
  /** Brings Docker's images to the nodes. Absent: the nodes pull from a registry. */
  readonly loadImages?: (references: readonly string[]) => Promise<void>;
  /** `kind 0.27.0`, for reports. */
  readonly description: string;
  /** What remains after disposal: nothing, the cluster without the run's objects, or the cluster with them. */
  readonly remains: 'nothing' | 'cluster' | 'everything';
  /** Explains to the user how to use and how to remove what remains, line by line. */
  readonly hints: readonly string[];
  /** Belongs to the user: nothing that the run did not create may change. */
  readonly isForeign: boolean;
}

/** Runs one step of a start, and reports when it begins and how long it took. */
export async function step<T>(onProgress: (line: string) => void, title: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  onProgress(title);
  const value = await work();
  onProgress(`${title}: done in ${formatNs((performance.now() - start) * 1e6)}`);
  return value;
}

export interface ToolClusterOptions extends ToolContext {
  readonly name: string;
  /** The tool writes the cluster's kubeconfig there. */
  readonly kubeConfigFile: string;
  readonly request: ClusterRequest;
}

/** One cluster and the tool that creates, fills and deletes it. Everything in which kind and minikube differ. */
export interface ToolCluster {
  /** `kind 0.27.0`, for reports. */
  readonly description: string;
  /** For the progress display: `2 nodes and a virtual one`. */
  readonly size: string;
  /** For the user's shell. */
  readonly deleteCommand: string;
  exists(): Promise<boolean>;
  /** Creates it with its virtual node, and writes the kubeconfig. */
  create(): Promise<void>;
  /** Writes the kubeconfig of an existing cluster. */
  connect(): Promise<void>;
  /** Full names of the images that every node of an existing cluster has. Absent: unknown. */
  images?(): Promise<ReadonlySet<string>>;
  load(archive: string): Promise<void>;
  /** Creates the folder on demand. */
  writeLogs(folder: string): Promise<void>;
  /** Never rejects. Returns the failure, or undefined once the cluster is gone. */
  delete(): Promise<string | undefined>;
}

export interface ToolProvider {
  readonly tool: 'kind' | 'minikube';
  readonly request: ClusterRequest;
  /** @throws CannotRun if the tool is not installed */
  readonly find: (options: ToolClusterOptions) => Promise<ToolCluster>;
}

const deletionMs = 150_000;

/** Clusters that exist for one run. Their name contains the run's id, so that `rekindle clean` finds leftovers of a killed run. */
export function toolProvider(provider: ToolProvider): ClusterProvider {
  return { name: provider.tool, open: (options) => open(provider, options) };
}

async function open({ tool, request, find }: ToolProvider, options: ProviderOptions): Promise<ProvidedCluster> {
  const { docker, environment, signal, onProgress, resultsDir, diagnosticsDir, runId } = options;
  const name = clusterName(request, runId);
  const title = `the ${tool} cluster ${name}`;
  const kubeConfigFile = join(resultsDir, 'kubeconfig');
  const findWith = (signal: AbortSignal) => find({ name, kubeConfigFile, request, environment, signal });
  const cluster = await findWith(signal);
  const { deleteCommand } = cluster;
  const existed = await cluster.exists();
  if (existed && request.reuse === undefined) {
    const remedy = `--reuse ${name} uses it; ${deleteCommand} removes it`;
    throw new CannotRun([{ what: `there is a ${tool} cluster ${name} already`, remedy }]);
  }
  // Uses a separate signal, because it also runs after the run was aborted.
  const remove = async (): Promise<void> => {
    const failure = await (await findWith(AbortSignal.timeout(deletionMs))).delete();
    if (failure !== undefined) throw new Error(`${title} could not be deleted (${failure}): ${deleteCommand}`);
    if (existsSync(kubeConfigFile)) rmSync(kubeConfigFile);
  };
  if (existed) await step(onProgress, `using ${title}`, () => cluster.connect());
  else {
    try {
      await step(onProgress, `creating ${title} (${cluster.size})`, () => cluster.create());
    } catch (error) {
      if (!signal.aborted) await cluster.writeLogs(diagnosticsDir).catch(() => {});
      onProgress(`removing ${title}`);
      await remove();
      throw error;
    }
  }
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeConfigFile);
  const stays = existed || request.keep || request.reuse !== undefined;
  return {
    clusterName: name,
    kubeConfig,
    description: cluster.description,
    loadImages: (references) =>
      loadImages({
        docker,
        references,
        runId,
        present: async () => (existed ? await cluster.images?.() : undefined) ?? new Set(),
        load: (archive) => cluster.load(archive),
      }),
    isForeign: false,
    remains: !stays ? 'nothing' : request.keep ? 'everything' : 'cluster',
    hints: !stays
      ? []
      : [
          `${title} stays:`,
          `  export KUBECONFIG=${kubeConfigFile}; kubectl get pods -A`,
          `  rekindle conform --cluster ${tool} --reuse ${name}`,
          `  ${deleteCommand}      removes it`,
        ],
    async [Symbol.asyncDispose]() {
      if (stays) return;
      onProgress(`deleting ${title}`);
      await remove();
    },
  };
}

/** `rekindle clean` removes `rekindle-<run>` once the run has ended. A cluster to keep has another name. */
function clusterName({ keep, reuse, ordinal = 1 }: ClusterRequest, runId: string): string {
  const first = reuse ?? (keep ? `rekindle-kept-${runId}` : `rekindle-${runId}`);
  return ordinal === 1 ? first : `${first}-${ordinal}`;
}
