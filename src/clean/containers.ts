import { request } from 'node:http';
import { parseRunId, type RunId, runIdLabel } from '../run-id.ts';

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

const timeoutMs = 10_000;

/** Docker by its socket (`DOCKER_HOST` where that is a `unix://` address), without needing the program. */
export function docker(env: Readonly<Record<string, string | undefined>>): ContainerRuntime {
  const host = env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  const socketPath = host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
  return {
    async list() {
      if (socketPath === undefined) return [];
      const filters = encodeURIComponent(JSON.stringify({ label: [runIdLabel] }));
      const answer = await call({ socketPath, method: 'GET', path: `/containers/json?all=1&filters=${filters}` });
      if (answer === undefined || answer.status !== 200) return [];
      return parseContainers(JSON.parse(answer.body));
    },
    async remove({ id }) {
      if (socketPath === undefined) return;
      const answer = await call({ socketPath, method: 'DELETE', path: `/containers/${id}?force=1&v=1` });
      if (answer === undefined) throw new Error(`${socketPath} does not answer`);
      if (answer.status >= 300 && answer.status !== 404) throw new Error(`${answer.status} ${answer.body.trim()}`);
    },
  };
}

interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** Those of `GET /containers/json` whose label is a run's id. */
export function parseContainers(listed: readonly ListedContainer[]): readonly RunContainer[] {
  return listed.flatMap(({ Id, Names, Labels }) => {
    const runId = parseRunId(Labels[runIdLabel] ?? '');
    return runId === undefined ? [] : [{ id: Id, name: Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12), runId }];
  });
}

interface Call {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
}

/** Undefined where nothing listens or no answer came in time. */
function call(options: Call): Promise<{ readonly status: number; readonly body: string } | undefined> {
  return new Promise((resolve) => {
    const sent = request({ ...options, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
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
