import { request } from 'node:http';
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
const clusterLabels = ['io.x-k8s.kind.cluster', 'name.minikube.sigs.k8s.io'] as const;

/** Docker's containers, through its socket. */
export function docker(env: Readonly<Record<string, string | undefined>>): ContainerRuntime {
  return {
    async list() {
      const lists = await Promise.all(clusterLabels.map((label) => listLabelled(label, env)));
      return parseContainers(lists.flat());
    },
    async remove({ id }) {
      const response = await requestDocker({ method: 'DELETE', path: `/containers/${id}?force=1&v=1`, env });
      if (response === undefined) throw new Error('Docker does not answer');
      if (response.status >= 300 && response.status !== 404)
        throw new Error(`Docker says ${response.status} ${response.body.trim()}`);
    },
  };
}

async function listLabelled(
  label: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly ListedContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const response = await requestDocker({ method: 'GET', path: `/containers/json?all=1&filters=${filters}`, env });
  return response?.status === 200 ? JSON.parse(response.body) : [];
}

interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** The containers of `GET /containers/json` that are nodes of a run's cluster. */
export function parseContainers(listed: readonly ListedContainer[]): readonly RunContainer[] {
  return listed.flatMap(({ Id, Names, Labels }) => {
    const cluster = clusterLabels.map((label) => Labels[label]).find((name) => name !== undefined);
    const runId = runIdOfTemporary(cluster ?? '');
    return runId === undefined ? [] : [{ id: Id, name: Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12), runId }];
  });
}

export interface DockerRequest {
  readonly method: 'GET' | 'DELETE';
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface DockerResponse {
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 5_000;

/**
 * Sends a request to Docker's API by its unix socket (`DOCKER_HOST` if that is a `unix://` address), so that neither the docker
 * program nor a client library is needed. Resolves with undefined if the socket does not respond within five seconds.
 */
export function requestDocker({ method, path, env }: DockerRequest): Promise<DockerResponse | undefined> {
  const host = env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  if (!host.startsWith('unix://')) return Promise.resolve(undefined);
  const socketPath = host.slice('unix://'.length);
  return new Promise((resolve) => {
    const sent = request({ socketPath, method, path, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    sent.on('error', () => resolve(undefined));
    sent.end();
  });
}
