import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { CannotRun } from '../cluster.ts';
import { runTool, type Tool, type ToolOptions } from '../tool.ts';
import {
  type ClusterProvider,
  type ClusterRequest,
  type ToolCluster,
  type ToolClusterOptions,
  toolProvider,
} from './provider.ts';
import { labelVirtual } from './virtual-nodes.ts';

/** Clusters created by minikube with its Docker driver. */
export function minikubeProvider(request: ClusterRequest): ClusterProvider {
  return toolProvider({ tool: 'minikube', request, find: findMinikube });
}

async function findMinikube(options: ToolClusterOptions): Promise<ToolCluster> {
  const { name, kubeConfigFile, request, signal } = options;
  const { nodes, nodeImage } = request;
  const tool: Tool = {
    name: 'minikube',
    remedy: 'install minikube (minikube.sigs.k8s.io/docs/start), or use --cluster kind',
    // minikube writes the kubeconfig that its environment names.
    environment: { ...options.environment, KUBECONFIG: kubeConfigFile },
    signal,
  };
  const minikube = async (purpose: string, args: readonly string[], options?: ToolOptions): Promise<string> => {
    const { exitCode, failure, stdout } = await runTool(tool, args, options);
    if (exitCode === 0) return stdout;
    const remedy = 'minikube logs shows more; diagnostics/ of the results has what could be collected';
    throw new CannotRun([{ what: `minikube cannot ${purpose} (${failure})`, remedy }]);
  };
  const profile = `--profile=${name}`;
  const start = (...more: readonly string[]) =>
    minikube(`start ${name}`, ['start', profile, '--embed-certs', '--interactive=false', ...more], {
      timeoutMs: 600_000,
    });
  const version = (await minikube('report its version', ['version', '--short'])).trim();
  return {
    description: `minikube ${version}`,
    size: `${nodes} and a virtual node`,
    deleteCommand: `minikube delete -p ${name}`,
    exists: async () =>
      parseProfiles(await minikube('list its profiles', ['profile', 'list', '--output=json'])).includes(name),
    async create() {
      await start('--driver=docker', `--nodes=${nodes + 1}`, ...versionFlags(nodeImage));
      const kubeConfig = new KubeConfig();
      kubeConfig.loadFromFile(kubeConfigFile);
      await labelVirtual(kubeConfig, `${name}-m${String(nodes + 1).padStart(2, '0')}`);
    },
    async connect() {
      await start();
    },
    async load(archive) {
      await minikube('load images', ['image', 'load', archive, profile], { timeoutMs: 300_000 });
    },
    async writeLogs(folder) {
      mkdirSync(folder, { recursive: true });
      await runTool(tool, ['logs', profile, `--file=${join(folder, 'minikube.log')}`], { timeoutMs: 60_000 });
    },
    async delete() {
      const { exitCode, failure } = await runTool(tool, ['delete', profile], { timeoutMs: 120_000 });
      return exitCode === 0 ? undefined : failure;
    },
  };
}

/** `v1.34.4` selects a version of Kubernetes; anything else is an image of minikube's nodes. */
function versionFlags(nodeImage: string | undefined): readonly string[] {
  if (nodeImage === undefined) return [];
  return [/^v?\d/.test(nodeImage) ? `--kubernetes-version=${nodeImage}` : `--base-image=${nodeImage}`];
}

/** The names in `minikube profile list --output=json`, including those of broken profiles. */
export function parseProfiles(json: string): readonly string[] {
  const parsed: unknown = JSON.parse(json === '' ? '{}' : json);
  const lists = typeof parsed === 'object' && parsed !== null ? Object.values(parsed) : [];
  return lists.flatMap((list: unknown) =>
    Array.isArray(list) ? list.map((profile: { readonly Name?: string }) => profile.Name ?? '') : [],
  );
}
