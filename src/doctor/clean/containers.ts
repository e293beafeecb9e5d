import { askDocker } from '../../docker-socket.ts';
import { parseRunId, type RunId, runIdLabel, runIdOfTemporary } from '../../run-id.ts';

/** A container that carries a run's id, running or not. */
export interface RunContainer {
  readonly id: string;
  readonly name: string;
  readonly runId: RunId;
}

/** Docker's API, as much of it as cleaning needs; unreachable means that there is nothing of ours there. */
export interface ContainerRuntime {
  list(): Promise<readonly RunContainer[]>;
  /** Removes the container by force, with its anonymous volumes; rejects where that fails. */
  remove(container: RunContainer): Promise<void>;
}

/**
 * Labels of the nodes of kind and minikube; the value is the cluster's name. A cluster that a run has made for itself is called
 * `rekindle-<run id>`; one that is kept has another name.
 */
const clusterLabels = ['io.x-k8s.kind.cluster', 'name.minikube.sigs.k8s.io'] as const;

/** Docker, by its socket. */
export function docker(env: Readonly<Record<string, string | undefined>>): ContainerRuntime {
  return {
    async list() {
      const lists = await Promise.all([runIdLabel, ...clusterLabels].map((label) => listLabelled(label, env)));
      return parseContainers(lists.flat());
    },
    async remove({ id }) {
      const answer = await askDocker({ method: 'DELETE', path: `/containers/${id}?force=1&v=1`, env });
      if (answer === undefined) throw new Error('Docker does not answer');
      if (answer.status >= 300 && answer.status !== 404)
        throw new Error(`Docker says ${answer.status} ${answer.body.trim()}`);
    },
  };
}

async function listLabelled(
  label: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly ListedContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const answer = await askDocker({ method: 'GET', path: `/containers/json?all=1&filters=${filters}`, env });
  return answer?.status === 200 ? JSON.parse(answer.body) : [];
}

interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** Those of `GET /containers/json` whose label is a run's id, or the name of a run's cluster. */
export function parseContainers(listed: readonly ListedContainer[]): readonly RunContainer[] {
  return listed.flatMap(({ Id, Names, Labels }) => {
    const cluster = clusterLabels.map((label) => Labels[label]).find((name) => name !== undefined);
    const runId = parseRunId(Labels[runIdLabel] ?? '') ?? runIdOfTemporary(cluster ?? '');
    return runId === undefined ? [] : [{ id: Id, name: Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12), runId }];
  });
}
