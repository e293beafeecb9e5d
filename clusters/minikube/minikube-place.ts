import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { CannotRun } from '../cluster.ts';
import { loadArchived } from '../images/load-archived.ts';
import {
  type ClusterWishes,
  clusterNameOf,
  type OpenPlace,
  type Place,
  type PlaceOptions,
} from '../lifecycle/place.ts';
import { step } from '../lifecycle/step.ts';
import { labelVirtual } from '../lifecycle/virtual-nodes.ts';
import { findMinikube } from './minikube-program.ts';

/** Clusters of minikube, with Docker as its driver. */
export function minikubePlace(wishes: ClusterWishes): Place {
  return { name: 'minikube', open: (options) => open(wishes, options) };
}

async function open(wishes: ClusterWishes, options: PlaceOptions): Promise<OpenPlace> {
  const { docker, signal, onProgress, resultsDir, diagnosticsDir, runId } = options;
  const profile = clusterNameOf(wishes, runId);
  const kubeConfigFile = join(resultsDir, 'kubeconfig');
  const environment = { ...options.environment, KUBECONFIG: kubeConfigFile };
  const minikube = await findMinikube({ environment, signal });
  const there = (await minikube.profiles()).includes(profile);
  if (there && wishes.reuse === undefined) throw taken(profile);
  const end = async (): Promise<void> => {
    const why = await (await findMinikube({ environment, signal: AbortSignal.timeout(150_000) })).delete(profile);
    if (why !== undefined)
      throw new Error(`the minikube cluster ${profile} could not be deleted (${why}): minikube delete -p ${profile}`);
    if (existsSync(kubeConfigFile)) rmSync(kubeConfigFile);
  };
  const kubeConfig = new KubeConfig();
  if (there) {
    await step(onProgress, `using the minikube cluster ${profile}`, () => minikube.resume(profile));
    kubeConfig.loadFromFile(kubeConfigFile);
  } else {
    const kubernetes = wishes.nodeImage === undefined ? {} : { kubernetes: wishes.nodeImage };
    try {
      await step(onProgress, `creating the minikube cluster ${profile} (${wishes.nodes} and a virtual node)`, () =>
        minikube.start({ profile, nodes: wishes.nodes + 1, ...kubernetes }),
      );
      kubeConfig.loadFromFile(kubeConfigFile);
      await labelVirtual(kubeConfig, `${profile}-m${String(wishes.nodes + 1).padStart(2, '0')}`);
    } catch (error) {
      if (!signal.aborted) {
        mkdirSync(diagnosticsDir, { recursive: true });
        await minikube.writeLogs(profile, join(diagnosticsDir, 'minikube.log')).catch(() => {});
      }
      onProgress(`removing the minikube cluster ${profile}`);
      await end();
      throw error;
    }
  }
  const stays = there || wishes.keep || wishes.reuse !== undefined;
  return {
    clusterName: profile,
    kubeConfig,
    description: `minikube ${minikube.version}`,
    loadImages: (references) =>
      loadArchived({
        docker,
        references,
        runId,
        present: async () => new Set(),
        load: (archive) => minikube.loadArchive(profile, archive),
      }),
    isForeign: false,
    leaves: !stays ? 'nothing' : wishes.keep ? 'everything' : 'cluster',
    afterwards: stays ? howToUse(profile, kubeConfigFile) : [],
    async [Symbol.asyncDispose]() {
      if (stays) return;
      onProgress(`deleting the minikube cluster ${profile}`);
      await end();
    },
  };
}

const taken = (profile: string): CannotRun =>
  new CannotRun([
    {
      what: `there is a minikube cluster ${profile} already`,
      remedy: `--reuse ${profile} uses it; minikube delete -p ${profile} removes it`,
    },
  ]);

function howToUse(profile: string, kubeConfigFile: string): readonly string[] {
  return [
    `the minikube cluster ${profile} stays:`,
    `  export KUBECONFIG=${kubeConfigFile}; kubectl get pods -A`,
    `  rekindle conform --cluster minikube --reuse ${profile}`,
    `  minikube delete -p ${profile}      removes it`,
  ];
}
