import { runTool, type ToolResult } from '../../../clusters/tool.ts';
import { type RunId, runIdOfTemporary } from '../../run-id.ts';

/** A node of a run's cluster, running or not. */
export interface RunContainer {
  readonly id: string;
  readonly name: string;
  readonly runId: RunId;
}

/** The part of a container runtime that cleaning needs. An unreachable runtime has no containers. */
export interface ContainerRuntime {
  list(): Promise<readonly RunContainer[]>;
  /** Removes the container by force, with its anonymous volumes; rejects if that fails. */
  remove(container: RunContainer): Promise<void>;
}

/**
 * Labels of the nodes of kind and minikube, with the cluster's name as value. A cluster that a run creates for itself is called
 * `rekindle-<run id>`; one that it keeps has another name.
 */
const clusterLabels = ['io.x-k8s.kind.cluster', 'name.minikube.sigs.k8s.io'];
const format = ['{{.ID}}', '{{.Names}}', ...clusterLabels.map((label) => `{{.Label "${label}"}}`)].join('\t');
const timeoutMs = 20_000;

/** Docker's containers. */
export function docker(env: Readonly<Record<string, string | undefined>>): ContainerRuntime {
  const tool = { name: 'docker', remedy: 'install Docker', environment: env, signal: new AbortController().signal };
  const run = (...args: readonly string[]): Promise<ToolResult> => runTool(tool, args, { timeoutMs });
  return {
    async list() {
      const listed = await run('ps', '--all', '--no-trunc', `--format=${format}`).catch(() => undefined);
      return listed?.exitCode === 0 ? parseContainers(listed.stdout) : [];
    },
    async remove({ id }) {
      const { exitCode, failure } = await run('rm', '--force', '--volumes', id);
      if (exitCode !== 0 && !failure.includes('No such container')) throw new Error(`Docker: ${failure}`);
    },
  };
}

/** The containers of `docker ps` in our format that are nodes of a run's cluster. */
export function parseContainers(output: string): readonly RunContainer[] {
  return output.split('\n').flatMap((line) => {
    const [id = '', name = '', ...clusters] = line.split('\t');
    const runId = runIdOfTemporary(clusters.find((cluster) => cluster !== '') ?? '');
    return runId === undefined ? [] : [{ id, name, runId }];
  });
}
