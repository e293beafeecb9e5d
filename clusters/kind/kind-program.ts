import { CannotRun } from '../cluster.ts';
import { type CallOptions, call, type Ended, type Program } from '../program.ts';

/** kind's program, as much of it as a cluster's life needs. */
export interface Kind {
  readonly version: string;
  clusters(): Promise<readonly string[]>;
  /** Writes the kubeconfig file. Keeps the nodes of a cluster that did not come up, for their logs. @throws CannotRun */
  create(cluster: { readonly name: string; readonly config: string; readonly kubeConfigFile: string }): Promise<void>;
  writeKubeConfig(name: string, file: string): Promise<void>;
  loadArchive(name: string, archive: string): Promise<void>;
  exportLogs(name: string, folder: string): Promise<void>;
  /** What went wrong, undefined where it is gone. */
  delete(name: string, kubeConfigFile: string): Promise<string | undefined>;
}

const remedy = 'install kind (kind.sigs.k8s.io/docs/user/quick-start), or run in the sandbox: --cluster sandbox';

/** Asks for kind's version first. @throws CannotRun where it is not there */
export async function findKind(machine: Pick<Program, 'environment' | 'signal'>): Promise<Kind> {
  const program: Program = { name: 'kind', remedy, ...machine };
  const kind = (args: readonly string[], options?: CallOptions): Promise<Ended> => call(program, args, options);
  const must = async (what: string, args: readonly string[], options?: CallOptions): Promise<string> => {
    const { exitCode, why, stdout } = await kind(args, options);
    if (exitCode !== 0) throw new CannotRun([{ what: `kind cannot ${what} (${plain(why)})`, remedy: remedyOf(why) }]);
    return stdout;
  };
  const version = /(\d+\.\d+\.\d+)/.exec(await must('tell its version', ['version', '--quiet']))?.[1] ?? 'unknown';
  return {
    version,
    // Its words where there is none go to standard error.
    clusters: async () =>
      (await must('list its clusters', ['get', 'clusters'])).split('\n').filter((line) => line !== ''),
    async create({ name, config, kubeConfigFile }) {
      const argv = ['create', 'cluster', `--name=${name}`, '--config=-', `--kubeconfig=${kubeConfigFile}`, '--retain'];
      await must(`create the cluster ${name}`, argv, { input: config, timeoutMs: 300_000 });
    },
    async writeKubeConfig(name, file) {
      await must(`tell how to reach the cluster ${name}`, [
        'export',
        'kubeconfig',
        `--name=${name}`,
        `--kubeconfig=${file}`,
      ]);
    },
    async loadArchive(name, archive) {
      await must('load images into the nodes', ['load', 'image-archive', `--name=${name}`, archive]);
    },
    async exportLogs(name, folder) {
      await kind(['export', 'logs', `--name=${name}`, folder], { timeoutMs: 60_000 });
    },
    async delete(name, kubeConfigFile) {
      const argv = ['delete', 'cluster', `--name=${name}`, `--kubeconfig=${kubeConfigFile}`];
      const { exitCode, why } = await kind(argv, { timeoutMs: 120_000 });
      return exitCode === 0 ? undefined : plain(why);
    },
  };
}

const plain = (why: string): string => why.replace(/^ERROR:\s*/, '');

function remedyOf(why: string): string {
  if (/already exist/.test(why)) return 'give --reuse with its name, or kind delete cluster --name with it';
  if (/registry|pull|manifest|no such host/i.test(why))
    return 'docker pull or docker load the image of the nodes, or name another with --kubernetes-image';
  if (/too many open files/.test(why)) return 'sudo sysctl fs.inotify.max_user_instances=512';
  if (/docker|daemon/i.test(why)) return 'see whether docker ps answers';
  if (/no space left/.test(why)) return 'make room on the disk (docker system df)';
  return 'the nodes’ logs are in diagnostics/ of the results; kind create cluster shows more';
}
