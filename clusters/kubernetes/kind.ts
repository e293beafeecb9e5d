import { join } from 'node:path';
import { stringify } from 'yaml';
import { virtualNode } from '../../fakes/fluid/virtual-node.ts';
import { CannotRun } from '../cluster.ts';
import { runTool, type Tool, type ToolContext, type ToolOptions } from '../tool.ts';
import {
  type ClusterProvider,
  type ClusterRequest,
  type ToolCluster,
  type ToolClusterOptions,
  toolProvider,
} from './provider.ts';

/** The default image of the nodes, pinned so that results are comparable. */
const defaultNodeImage = 'kindest/node:v1.34.4';

/** Clusters whose nodes are containers, created by kind. */
export function kindProvider(request: ClusterRequest): ClusterProvider {
  return toolProvider({ tool: 'kind', request, find: findKind });
}

async function findKind({ name, kubeConfigFile, request, ...context }: ToolClusterOptions): Promise<ToolCluster> {
  const { nodes, nodeImage: image = defaultNodeImage } = request;
  const remedy = 'install kind (kind.sigs.k8s.io/docs/user/quick-start), or run in the sandbox: --cluster sandbox';
  const tool: Tool = { name: 'kind', remedy, ...context };
  const kind = async (purpose: string, args: readonly string[], options?: ToolOptions): Promise<string> => {
    const { exitCode, failure, stdout } = await runTool(tool, args, options);
    if (exitCode === 0) return stdout;
    throw new CannotRun([{ what: `kind cannot ${purpose} (${plain(failure)})`, remedy: remedyFor(failure) }]);
  };
  const inCluster = [`--name=${name}`, `--kubeconfig=${kubeConfigFile}`];
  const version = /\d+\.\d+\.\d+/.exec(await kind('report its version', ['version', '--quiet']))?.[0] ?? 'unknown';
  return {
    description: `kind ${version}, ${image}`,
    size: `${nodes} ${nodes === 1 ? 'node' : 'nodes'} and a virtual one, ${image}`,
    deleteCommand: `kind delete cluster --name ${name}`,
    exists: async () => (await kind('list its clusters', ['get', 'clusters'])).split('\n').includes(name),
    async create() {
      const input = kindConfig({ nodes, virtual: true, image });
      // --retain keeps the nodes of a cluster that does not start, for their logs.
      const args = ['create', 'cluster', `--name=${name}`, '--config=-', `--kubeconfig=${kubeConfigFile}`, '--retain'];
      await kind(`create the cluster ${name}`, args, { input, timeoutMs: 300_000 });
      if (nodes > 1) await linkKubeletDirectory(`${name}-worker`, context);
    },
    async connect() {
      await kind(`export the kubeconfig of the cluster ${name}`, ['export', 'kubeconfig', ...inCluster]);
    },
    images: () => imagesOnNodes(name, context),
    async load(archive) {
      await kind('load images into the nodes', ['load', 'image-archive', `--name=${name}`, archive]);
    },
    async writeLogs(folder) {
      await runTool(tool, ['export', 'logs', `--name=${name}`, join(folder, 'nodes')], { timeoutMs: 60_000 });
    },
    async delete() {
      const { exitCode, failure } = await runTool(tool, ['delete', 'cluster', ...inCluster], { timeoutMs: 120_000 });
      return exitCode === 0 ? undefined : plain(failure);
    },
  };
}

const plain = (failure: string): string => failure.replace(/^ERROR:\s*/, '');

function remedyFor(failure: string): string {
  if (/already exist/.test(failure)) return 'give --reuse with its name, or kind delete cluster --name with it';
  if (/registry|pull|manifest|no such host/i.test(failure))
    return 'docker pull or docker load the image of the nodes, or name another with --kubernetes-image';
  if (/too many open files/.test(failure)) return 'sudo sysctl fs.inotify.max_user_instances=512';
  if (/docker|daemon/i.test(failure)) return 'check that docker ps answers';
  if (/no space left/.test(failure)) return 'free disk space (docker system df)';
  return 'the nodes’ logs are in diagnostics/ of the results; kind create cluster shows more';
}

/** Full names of the images that every node has. */
async function imagesOnNodes(name: string, context: ToolContext): Promise<ReadonlySet<string>> {
  const docker: Tool = { name: 'docker', remedy: 'install Docker', ...context };
  const nodes = await runTool(docker, ['ps', '--quiet', `--filter=label=io.x-k8s.kind.cluster=${name}`]);
  const lists = await Promise.all(
    nodes.stdout
      .split('\n')
      .filter((id) => id !== '')
      .map(async (id) => {
        const args = ['exec', id, 'ctr', '--namespace=k8s.io', 'images', 'list', '--quiet'];
        return new Set((await runTool(docker, args)).stdout.split('\n'));
      }),
  );
  const [first = new Set<string>(), ...others] = lists;
  return new Set([...first].filter((image) => others.every((list) => list.has(image))));
}

/** Of the second ordinary node, whose `/var/lib/kubelet` is a symbolic link to it. All others have the usual one. */
const movedKubeletRoot = '/var/data/kubelet';

/**
 * Makes the usual path lead to the moved directory, so that one DaemonSet fits all nodes. kubeadm and the kubelet's certificates use that path, whatever
 * `--root-dir` is. @throws CannotRun
 */
async function linkKubeletDirectory(node: string, context: ToolContext): Promise<void> {
  const docker: Tool = { name: 'docker', remedy: 'install Docker', ...context };
  const usual = '/var/lib/kubelet';
  const script = [
    'set -e',
    'systemctl stop kubelet',
    `cp -a ${usual}/. ${movedKubeletRoot}`,
    `mv ${usual} ${usual}.before`,
    `ln -s ${movedKubeletRoot} ${usual}`,
    'systemctl start kubelet',
  ].join('\n');
  const { exitCode, failure } = await runTool(docker, ['exec', node, 'sh', '-c', script], { timeoutMs: 60_000 });
  if (exitCode !== 0)
    throw new CannotRun([
      { what: `the kubelet's directory of ${node} cannot be moved (${failure})`, remedy: 'run on one node: --nodes 1' },
    ]);
}

export interface KindConfig {
  /** Ordinary nodes, including the control plane. */
  readonly nodes: number;
  /** Adds one more node, the virtual one. */
  readonly virtual: boolean;
  readonly image: string;
}

/** The cluster is temporary, so etcd does not sync to the disk. */
const withoutFsync = `kind: ClusterConfiguration
etcd:
  local:
    extraArgs: {unsafe-no-fsync: "true"}
`;

/** The control plane is an ordinary node, even if there are others. */
const withoutTaints = `kind: InitConfiguration
nodeRegistration:
  taints: []
`;

/** The kubelet of a node that joins has its pods there. */
const withMovedKubelet = `kind: JoinConfiguration
nodeRegistration:
  kubeletExtraArgs: {root-dir: ${movedKubeletRoot}}
`;

/** Input of `kind create cluster --config`. */
export function kindConfig({ nodes, virtual, image }: KindConfig): string {
  const workers = Array.from({ length: nodes - 1 }, (_, index) => ({
    role: 'worker',
    image,
    ...(index === 0 && { kubeadmConfigPatches: [withMovedKubelet] }),
  }));
  return stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: [
      { role: 'control-plane', image },
      ...workers,
      ...(virtual ? [{ role: 'worker', image, labels: { [virtualNode.label]: virtualNode.value } }] : []),
    ],
    kubeadmConfigPatches: [withoutFsync, withoutTaints],
  });
}
