import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';
import { execa, execaSync } from 'execa';
import { formatTitle, openApi } from '../../recovery/deploy/api.ts';
import { deploy, names } from '../../recovery/deploy/index.ts';
import { manifests } from '../../recovery/deploy/manifests.ts';
import { defaultOptions, furtherGates, managedBy } from '../../recovery/deploy/options.ts';
import { removeDeployment } from '../../recovery/deploy/remove.ts';
import type { Installations } from '../cluster.ts';

/** The release before this version. Each release moves it (docs/how-to/release.md). */
export const lastRelease = { version: '0.1.0', commit: 'a4afed91fea3ee39291243a20f866a5f9e61f5d7' } as const;

const project = fileURLToPath(new URL('../..', import.meta.url));
const helmRelease = 'rekindle-agent';

export interface InstallationsOptions {
  readonly kubeConfig: KubeConfig;
  readonly runId: string;
  /** The image of this version, which the nodes have. */
  readonly image: string;
  readonly loadImages: (references: readonly string[]) => Promise<void>;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Whether the sources of the last release are in this repository's history; a package and a shallow clone have none. */
export function hasLastRelease(folder = project): boolean {
  if (!existsSync(join(folder, '.git'))) return false;
  return !execaSync('git', ['cat-file', '-e', `${lastRelease.commit}^{commit}`], { cwd: folder, reject: false }).failed;
}

export const hasHelm = (path: string | undefined): boolean =>
  (path ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'helm')));

/** Installs over what this version's `deploy` has installed. Disposing of it removes its temporary files, and no installation. */
export function createInstallations(options: InstallationsOptions): Installations & AsyncDisposable {
  const { kubeConfig, runId, image, onProgress, signal } = options;
  const { namespace } = names;
  const life = new DisposableStack();
  const folder = mkdtempSync(join(tmpdir(), `rekindle-${runId}-installation-`));
  life.defer(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'kubeconfig');
  writeFileSync(config, kubeConfig.exportConfig(), { mode: 0o600 });
  const run = (file: string, args: readonly string[], cwd: string) => runProgram({ file, args, cwd, signal });
  const helm = (...args: readonly string[]) =>
    run('helm', [...args, `--kubeconfig=${config}`, '-n', namespace], folder);
  const deployThis = async () => void (await deploy({ kubeConfig, namespace, image, signal, onProgress }));
  const remove = async () => void (await removeDeployment({ kubeConfig, namespace, signal, onProgress }));
  let sources: Promise<string> | undefined;
  let isChart = false;
  const uninstall = async () => {
    if (isChart) await helm('uninstall', helmRelease, '--wait', '--timeout=120s');
    else await remove();
    isChart = false;
  };
  return {
    async install(wanted) {
      switch (wanted) {
        case 'this version':
          if (isChart) await uninstall();
          return deployThis();
        case 'nothing':
          return uninstall();
        case 'chart': {
          await remove();
          const values = [`image=${image}`, 'gates.FuseRecovery=true'].map((value) => `--set=${value}`);
          const chart = join(project, 'recovery/deploy/chart');
          isChart = true;
          await helm('install', helmRelease, chart, '--create-namespace', '--wait', '--timeout=120s', ...values);
          return;
        }
        case 'last release': {
          sources ??= checkOut(options, folder);
          const last = await sources;
          await run(
            process.execPath,
            ['bin/rekindle.js', 'deploy', '--kubeconfig', config, '--image', lastImage],
            last,
          );
        }
      }
    },
    objects: () => ourObjects(kubeConfig),
    async [Symbol.asyncDispose]() {
      life.dispose();
    },
  };
}

const lastImage = `rekindle/agent:${lastRelease.version}-${lastRelease.commit.slice(0, 12)}`;

/** Lays out the sources of the last release with the packages of this version, and builds and loads its image. Returns their folder. */
async function checkOut({ loadImages, onProgress, signal }: InstallationsOptions, folder: string): Promise<string> {
  onProgress(`building the last release, ${lastRelease.version}`);
  const archive = join(folder, 'sources.tar');
  const sources = join(folder, 'sources');
  mkdirSync(sources);
  await runProgram({ file: 'git', args: ['archive', `--output=${archive}`, lastRelease.commit], cwd: project, signal });
  await runProgram({ file: 'tar', args: ['-x', '-f', archive], cwd: sources, signal });
  symlinkSync(join(project, 'node_modules'), join(sources, 'node_modules'));
  const build = ['recovery/deploy/image/build.ts', lastImage];
  await runProgram({ file: process.execPath, args: build, cwd: sources, signal });
  await loadImages([lastImage]);
  return sources;
}

interface ProgramToEnd {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** @throws Error with the last lines that it printed */
async function runProgram({ file, args, cwd, signal }: ProgramToEnd): Promise<void> {
  const options = { cwd, all: true, reject: false, stdin: 'ignore', cancelSignal: signal } as const;
  const { failed, all } = await execa(file, args, options);
  signal.throwIfAborted();
  if (failed) throw new Error(`${file} ${args.slice(0, 2).join(' ')} failed: ${all.slice(-600)}`);
}

const kinds: Readonly<Record<string, readonly string[]>> = {
  v1: ['ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'Namespace'],
  'apps/v1': ['DaemonSet', 'Deployment'],
  'rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
  'storage.k8s.io/v1': ['CSIDriver'],
  'admissionregistration.k8s.io/v1': ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
};

/** Titles of all objects in the cluster that have the label of any version of ours, or the name of one of this version's. Helm relabels them. */
async function ourObjects(kubeConfig: KubeConfig): Promise<readonly string[]> {
  const api = KubernetesObjectApi.makeApiClient(kubeConfig);
  const isOurs = `${managedBy.label}=${managedBy.value}`;
  const all = Object.entries(kinds).flatMap(([apiVersion, some]) => some.map((kind) => ({ apiVersion, kind })));
  const lists = await Promise.all(
    all.map(async ({ apiVersion, kind }) => {
      const none = undefined;
      const { items } = await api.list(apiVersion, kind, none, none, none, none, none, isOurs);
      return items.map(({ metadata }) => formatTitle({ kind, ...(metadata && { metadata }) }));
    }),
  );
  const { read } = openApi(kubeConfig);
  const named = manifests({ ...defaultOptions, furtherGates }).filter(({ kind }) => kind !== 'Namespace');
  const found = await Promise.all(named.map((object) => read(object)));
  return [
    ...new Set([...lists.flat(), ...found.flatMap((object) => (object === undefined ? [] : formatTitle(object)))]),
  ];
}
