import { CannotRun } from '../cluster.ts';
import { type CallOptions, call, type Ended, type Program } from '../program.ts';

export interface MinikubeStart {
  readonly profile: string;
  /** All of them, the control plane among them. */
  readonly nodes: number;
  /** `v1.34.4`, or an image of minikube's nodes. */
  readonly kubernetes?: string;
}

/** minikube's program, as much of it as a cluster's life needs. The kubeconfig that it writes is the one of its environment. */
export interface Minikube {
  readonly version: string;
  profiles(): Promise<readonly string[]>;
  start(start: MinikubeStart): Promise<void>;
  /** Writes the kubeconfig of a profile that is there, starting it where it was stopped. */
  resume(profile: string): Promise<void>;
  loadArchive(profile: string, archive: string): Promise<void>;
  writeLogs(profile: string, file: string): Promise<void>;
  /** What went wrong; undefined where it is gone. */
  delete(profile: string): Promise<string | undefined>;
}

const remedy = 'install minikube (minikube.sigs.k8s.io/docs/start), or use --cluster kind';

/** Asks for minikube's version first. @throws CannotRun where it is not there */
export async function findMinikube(machine: Pick<Program, 'environment' | 'signal'>): Promise<Minikube> {
  const program: Program = { name: 'minikube', remedy, ...machine };
  const minikube = (args: readonly string[], options?: CallOptions): Promise<Ended> => call(program, args, options);
  const must = async (what: string, args: readonly string[], options?: CallOptions): Promise<string> => {
    const { exitCode, why, stdout } = await minikube(args, options);
    if (exitCode === 0) return stdout;
    const remedy = 'minikube logs shows more; diagnostics/ of the results has what could be had';
    throw new CannotRun([{ what: `minikube cannot ${what} (${why})`, remedy }]);
  };
  const start = (profile: string, ...more: readonly string[]) =>
    must(`start ${profile}`, ['start', `--profile=${profile}`, '--embed-certs', '--interactive=false', ...more], {
      timeoutMs: 600_000,
    });
  return {
    version: (await must('tell its version', ['version', '--short'])).trim(),
    profiles: async () => parseProfiles(await must('list its profiles', ['profile', 'list', '--output=json'])),
    async start({ profile, nodes, kubernetes }) {
      const asked =
        kubernetes === undefined
          ? []
          : [/^v?\d/.test(kubernetes) ? `--kubernetes-version=${kubernetes}` : `--base-image=${kubernetes}`];
      await start(profile, '--driver=docker', `--nodes=${nodes}`, ...asked);
    },
    resume: async (profile) => void (await start(profile)),
    async loadArchive(profile, archive) {
      await must('load images', ['image', 'load', archive, `--profile=${profile}`], { timeoutMs: 300_000 });
    },
    async writeLogs(profile, file) {
      await minikube(['logs', `--profile=${profile}`, `--file=${file}`], { timeoutMs: 60_000 });
    },
    async delete(profile) {
      const { exitCode, why } = await minikube(['delete', `--profile=${profile}`], { timeoutMs: 120_000 });
      return exitCode === 0 ? undefined : why;
    },
  };
}

/** Names in `minikube profile list --output=json`, of broken ones too. */
export function parseProfiles(json: string): readonly string[] {
  const parsed: unknown = JSON.parse(json === '' ? '{}' : json);
  const lists = typeof parsed === 'object' && parsed !== null ? Object.values(parsed) : [];
  return lists.flatMap((list: unknown) =>
    Array.isArray(list) ? list.map((profile: { readonly Name?: string }) => profile.Name ?? '') : [],
  );
}
