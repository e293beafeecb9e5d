import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { CannotRun } from '../cluster.ts';
import { loadArchived } from '../images/load-archived.ts';
import type { Program } from '../program.ts';
import { type ClusterWishes, clusterNameOf, type OpenPlace, type Place, type PlaceOptions } from './place.ts';
import { step } from './step.ts';

/** A cluster that a program of the machine makes, or has made. */
export interface ClusterToMake extends Pick<Program, 'environment' | 'signal'> {
  readonly name: string;
  /** Where the program writes how to reach it. */
  readonly kubeConfigFile: string;
  readonly wishes: ClusterWishes;
}

/** What makes, fills and deletes one cluster: all in which such programs differ. What fails rejects, if not said otherwise. */
export interface ClusterMaker {
  /** `kind 0.27.0`, for reports. */
  readonly description: string;
  /** What is made, for one who waits: `2 nodes and a virtual one`. */
  readonly size: string;
  /** For a user's shell. */
  readonly deleteCommand: string;
  isThere(): Promise<boolean>;
  /** Makes it and its virtual node; writes the kubeconfig. */
  create(): Promise<void>;
  /** Writes the kubeconfig of one that is there. */
  use(): Promise<void>;
  /** Images that the nodes of one that was there have already, by their full names; none where that cannot be known. */
  images?(): Promise<ReadonlySet<string>>;
  load(archive: string): Promise<void>;
  /** `folder` may not be there yet. */
  writeLogs(folder: string): Promise<void>;
  /** What went wrong; undefined where it is gone. */
  delete(): Promise<string | undefined>;
}

export interface MadePlace {
  readonly program: 'kind' | 'minikube';
  readonly wishes: ClusterWishes;
  /** @throws CannotRun where the program is not there */
  readonly find: (cluster: ClusterToMake) => Promise<ClusterMaker>;
}

const deletionMs = 150_000;

/** Clusters that come and go with a run. Named by the run, so that `rekindle clean` finds what a killed run left. */
export function madePlace(made: MadePlace): Place {
  return { name: made.program, open: (options) => open(made, options) };
}

async function open({ program, wishes, find }: MadePlace, options: PlaceOptions): Promise<OpenPlace> {
  const { docker, environment, signal, onProgress, resultsDir, diagnosticsDir, runId } = options;
  const name = clusterNameOf(wishes, runId);
  const title = `the ${program} cluster ${name}`;
  const kubeConfigFile = join(resultsDir, 'kubeconfig');
  const cluster = { name, kubeConfigFile, wishes, environment };
  const maker = await find({ ...cluster, signal });
  const { deleteCommand } = maker;
  const there = await maker.isThere();
  if (there && wishes.reuse === undefined) throw taken(program, name, deleteCommand);
  /** With a signal of its own: it is called when the run's has been aborted, too. */
  const end = async (): Promise<void> => {
    const why = await (await find({ ...cluster, signal: AbortSignal.timeout(deletionMs) })).delete();
    if (why !== undefined) throw new Error(`${title} could not be deleted (${why}): ${deleteCommand}`);
    if (existsSync(kubeConfigFile)) rmSync(kubeConfigFile);
  };
  if (there) await step(onProgress, `using ${title}`, () => maker.use());
  else {
    try {
      await step(onProgress, `creating ${title} (${maker.size})`, () => maker.create());
    } catch (error) {
      if (!signal.aborted) await maker.writeLogs(diagnosticsDir).catch(() => {});
      onProgress(`removing ${title}`);
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
    description: maker.description,
    loadImages: (references) =>
      loadArchived({
        docker,
        references,
        runId,
        present: async () => (there ? await maker.images?.() : undefined) ?? new Set(),
        load: (archive) => maker.load(archive),
      }),
    isForeign: false,
    leaves: !stays ? 'nothing' : wishes.keep ? 'everything' : 'cluster',
    afterwards: !stays
      ? []
      : [
          `${title} stays:`,
          `  export KUBECONFIG=${kubeConfigFile}; kubectl get pods -A`,
          `  rekindle conform --cluster ${program} --reuse ${name}`,
          `  ${deleteCommand}      removes it`,
        ],
    async [Symbol.asyncDispose]() {
      if (stays) return;
      onProgress(`deleting ${title}`);
      await end();
    },
  };
}

function taken(program: string, name: string, deleteCommand: string): CannotRun {
  const remedy = `--reuse ${name} uses it; ${deleteCommand} removes it`;
  return new CannotRun([{ what: `there is a ${program} cluster ${name} already`, remedy }]);
}
