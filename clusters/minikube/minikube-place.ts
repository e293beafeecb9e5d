import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { type ClusterMaker, type ClusterToMake, madePlace } from '../lifecycle/made-place.ts';
import type { ClusterWishes, Place } from '../lifecycle/place.ts';
import { labelVirtual } from '../lifecycle/virtual-nodes.ts';
import { findMinikube } from './minikube-program.ts';

/** Clusters of minikube, with Docker as its driver. */
export function minikubePlace(wishes: ClusterWishes): Place {
  return madePlace({ program: 'minikube', wishes, find });
}

async function find({ name, kubeConfigFile, wishes, environment, signal }: ClusterToMake): Promise<ClusterMaker> {
  const { nodes, nodeImage } = wishes;
  const minikube = await findMinikube({ environment: { ...environment, KUBECONFIG: kubeConfigFile }, signal });
  return {
    description: `minikube ${minikube.version}`,
    size: `${nodes} and a virtual node`,
    deleteCommand: `minikube delete -p ${name}`,
    isThere: async () => (await minikube.profiles()).includes(name),
    async create() {
      const kubernetes = nodeImage === undefined ? {} : { kubernetes: nodeImage };
      await minikube.start({ profile: name, nodes: nodes + 1, ...kubernetes });
      const kubeConfig = new KubeConfig();
      kubeConfig.loadFromFile(kubeConfigFile);
      await labelVirtual(kubeConfig, `${name}-m${String(nodes + 1).padStart(2, '0')}`);
    },
    use: () => minikube.resume(name),
    load: (archive) => minikube.loadArchive(name, archive),
    async writeLogs(folder) {
      mkdirSync(folder, { recursive: true });
      await minikube.writeLogs(name, join(folder, 'minikube.log'));
    },
    delete: () => minikube.delete(name),
  };
}
