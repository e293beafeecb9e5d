import { existsSync, rmSync } from 'node:fs';
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
import { call, type Program } from '../program.ts';
import { kindConfig } from './kind-config.ts';
import { findKind, type Kind } from './kind-program.ts';

/** The nodes' image where no other is asked for; pinned, so that results compare. */
export const defaultNodeImage = 'kindest/node:v1.34.4';

/** Clusters of containers, by kind. Named by the run, so that `rekindle clean` finds what a killed run left. */
export function kindPlace(wishes: ClusterWishes): Place {
  return { name: 'kind', open: (options) => open(wishes, options) };
}

async function open(wishes: ClusterWishes, options: PlaceOptions): Promise<OpenPlace> {
  const { docker, environment, signal, onProgress, resultsDir, diagnosticsDir, runId } = options;
  const kind = await findKind({ environment, signal });
  const name = clusterNameOf(wishes, runId);
  const kubeConfigFile = join(resultsDir, 'kubeconfig');
  const there = (await kind.clusters()).includes(name);
  if (there && wishes.reuse === undefined) throw taken(name);
  const image = wishes.nodeImage ?? defaultNodeImage;
  const end = async (): Promise<void> => {
    const why = await remove(environment, name, kubeConfigFile);
    if (why !== undefined)
      throw new Error(`the kind cluster ${name} could not be deleted (${why}): kind delete cluster --name ${name}`);
  };
  if (there) await step(onProgress, `using the kind cluster ${name}`, () => kind.writeKubeConfig(name, kubeConfigFile));
  else {
    const config = kindConfig({ nodes: wishes.nodes, virtual: true, image });
    const size = `${wishes.nodes} ${wishes.nodes === 1 ? 'node' : 'nodes'} and a virtual one, ${image}`;
    try {
      await step(onProgress, `creating the kind cluster ${name} (${size})`, () =>
        kind.create({ name, config, kubeConfigFile }),
      );
    } catch (error) {
      if (!signal.aborted) await kind.exportLogs(name, join(diagnosticsDir, 'nodes')).catch(() => {});
      onProgress(`removing the kind cluster ${name}`);
      await end();
      throw error;
    }
  }
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeConfigFile);
  const stays = there || wishes.keep || wishes.reuse !== undefined;
  return {
    clusterName: name,
    kubeConfig,
    description: `kind ${kind.version}, ${image}`,
    loadImages: (references) =>
      loadArchived({
        docker,
        references,
        runId,
        present: there ? () => imagesOn(name, { environment, signal }) : async () => new Set(),
        load: (archive) => kind.loadArchive(name, archive),
      }),
    isForeign: false,
    leaves: !stays ? 'nothing' : wishes.keep ? 'everything' : 'cluster',
    afterwards: stays ? howToUse(name, kubeConfigFile) : [],
    async [Symbol.asyncDispose]() {
      if (stays) return;
      onProgress(`deleting the kind cluster ${name}`);
      await end();
    },
  };
}

const taken = (name: string): CannotRun =>
  new CannotRun([
    {
      what: `there is a kind cluster ${name} already`,
      remedy: `--reuse ${name} uses it; kind delete cluster --name ${name} removes it`,
    },
  ]);

/** With a signal of its own: it is called when the run's has been aborted, too. */
async function remove(
  environment: Program['environment'],
  name: string,
  kubeConfigFile: string,
): Promise<string | undefined> {
  const kind: Kind = await findKind({ environment, signal: AbortSignal.timeout(150_000) });
  const why = await kind.delete(name, kubeConfigFile);
  if (why === undefined && existsSync(kubeConfigFile)) rmSync(kubeConfigFile);
  return why;
}

function howToUse(name: string, kubeConfigFile: string): readonly string[] {
  return [
    `the kind cluster ${name} stays:`,
    `  export KUBECONFIG=${kubeConfigFile}; kubectl get pods -A`,
    `  rekindle conform --cluster kind --reuse ${name}`,
    `  kind delete cluster --name ${name}      removes it`,
  ];
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
