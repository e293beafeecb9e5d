import { join } from 'node:path';
import { type ClusterMaker, type ClusterToMake, madePlace } from '../lifecycle/made-place.ts';
import type { ClusterWishes, Place } from '../lifecycle/place.ts';
import { call, type Program } from '../program.ts';
import { kindConfig } from './kind-config.ts';
import { findKind } from './kind-program.ts';

/** The nodes' image where no other is asked for; pinned, so that results compare. */
const defaultNodeImage = 'kindest/node:v1.34.4';

/** Clusters of containers, by kind. */
export function kindPlace(wishes: ClusterWishes): Place {
  return madePlace({ program: 'kind', wishes, find });
}

async function find({ name, kubeConfigFile, wishes, ...machine }: ClusterToMake): Promise<ClusterMaker> {
  const { nodes, nodeImage: image = defaultNodeImage } = wishes;
  const kind = await findKind(machine);
  return {
    description: `kind ${kind.version}, ${image}`,
    size: `${nodes} ${nodes === 1 ? 'node' : 'nodes'} and a virtual one, ${image}`,
    deleteCommand: `kind delete cluster --name ${name}`,
    isThere: async () => (await kind.clusters()).includes(name),
    create: () => kind.create({ name, config: kindConfig({ nodes, virtual: true, image }), kubeConfigFile }),
    use: () => kind.writeKubeConfig(name, kubeConfigFile),
    images: () => imagesOn(name, machine),
    load: (archive) => kind.loadArchive(name, archive),
    writeLogs: (folder) => kind.exportLogs(name, join(folder, 'nodes')),
    delete: () => kind.delete(name, kubeConfigFile),
  };
}

/** Names of the images that every node has. */
async function imagesOn(name: string, machine: Pick<Program, 'environment' | 'signal'>): Promise<ReadonlySet<string>> {
  const docker: Program = { name: 'docker', remedy: 'install Docker', ...machine };
  const nodes = await call(docker, ['ps', '--quiet', `--filter=label=io.x-k8s.kind.cluster=${name}`]);
  const lists = await Promise.all(
    nodes.stdout
      .split('\n')
      .filter((id) => id !== '')
      .map(async (id) => {
        const { stdout } = await call(docker, ['exec', id, 'ctr', '--namespace=k8s.io', 'images', 'list', '--quiet']);
        return new Set(stdout.split('\n'));
      }),
  );
  const [first = new Set<string>(), ...others] = lists;
  return new Set([...first].filter((image) => others.every((list) => list.has(image))));
}
