import { accessSync, constants, cpSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import type { ContainerSpec } from '../../fakes/kubelet/container.ts';
import type { Linux } from '../../fakes/kubelet/linux.ts';
import { ownDirectories } from '../../fakes/kubelet/rootfs.ts';
import { MS_NOSUID } from '../../recovery/linux/syscalls.ts';
import type { AgentSettings } from '../cluster.ts';

/** Stands for all flags of Rekindle's own agent. A program that takes them is a variant of it. */
export const flagsPlaceholder = '{flags}';

/** What a program's words and variables may name in braces. */
export interface ProgramValues {
  readonly nodeName: string;
  /** Path of the CSI socket that it must serve. */
  readonly socket: string;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly kubeletRoot: string;
  /** Parent of the source mounts. */
  readonly mountRoot: string;
  /** `true` or `false`. Absent: words with `{gate}` are left out. */
  readonly gate?: string;
}

/** Replaces placeholders; an unknown one stays as it is. */
export function expandWords(words: readonly string[], values: ProgramValues): readonly string[] {
  const known = new Map<string, string>(Object.entries(values));
  return words
    .filter((word) => known.has('gate') || !word.includes('{gate}'))
    .map((word) => word.replaceAll(/\{(\w+)\}/g, (text, name: string) => known.get(name) ?? text));
}

/** Finds a file by its path, relative to `cwd`, or by its name on the PATH. */
export function findOnPath(name: string, { cwd, PATH = '' }: SearchPath): string | undefined {
  const places = name.includes('/')
    ? [resolve(cwd, name)]
    : PATH.split(delimiter).map((folder) => resolve(cwd, folder, name));
  return places.find((path) => isFile(path) && isExecutable(path));
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** How a profile's names of files are searched. */
export interface SearchPath {
  /** The user's working directory. */
  readonly cwd: string;
  readonly PATH?: string | undefined;
}

/** Names of an agent's program and files that this machine does not have. */
export function missingFiles({ command = [], files = {} }: AgentSettings, search: SearchPath): readonly string[] {
  if (command.includes(flagsPlaceholder)) return [];
  return [...command.slice(0, 1), ...Object.values(files)].filter((name) => findOnPath(name, search) === undefined);
}

function requireOnPath(name: string, search: SearchPath): string {
  const found = findOnPath(name, search);
  if (found === undefined) throw new Error(`${name} is not on the PATH`);
  return realpathSync(found);
}

export type AddedFiles = Pick<ContainerSpec, 'mounts' | 'files'>;

export interface ForeignAgent {
  readonly agent: Pick<AgentSettings, 'command' | 'environment'>;
  readonly added: AddedFiles;
  readonly values: ProgramValues;
  /** Variables of every process of the sandbox. */
  readonly base: Readonly<Record<string, string>>;
  readonly search: SearchPath;
}

/**
 * The container of another program, as most node plugins are deployed: privileged, in its own process and mount namespaces, and
 * with mounts below the kubelet's directory that reach the node. It gets the words, variables and files of its profile, and nothing else.
 * `keep`: the program's own directory.
 */
export function foreignContainer({ agent, added, values, base, search }: ForeignAgent): {
  readonly spec: ContainerSpec;
  readonly keep: string;
} {
  const [name = '', ...words] = agent.command ?? [];
  const program = requireOnPath(name, search);
  const { kubeconfig, kubeletRoot, mountRoot } = values;
  const variables = Object.entries(agent.environment ?? {});
  return {
    keep: dirname(program),
    spec: {
      argv: [program, ...expandWords(words, values)],
      environment: {
        ...base,
        ...Object.fromEntries(variables.map(([key, value]) => [key, expandWords([value], values).join('')])),
      },
      workingDirectory: '/',
      mounts: [
        { source: kubeletRoot, target: kubeletRoot, readOnly: false, propagation: 'Bidirectional' },
        { source: mountRoot, target: mountRoot, readOnly: false, propagation: 'HostToContainer' },
        { source: kubeconfig, target: kubeconfig, readOnly: true, propagation: 'None' },
        ...added.mounts,
      ],
      files: new Set([kubeconfig, ...added.files]),
    },
  };
}

/**
 * Mounts of the files that a program's image would have. A directory that the container shares with the machine is shown with them
 * through an overlay, which is mounted below `scratch`, so that nothing is written to the machine.
 */
export function addFiles(
  linux: Pick<Linux, 'mount'>,
  files: NonNullable<AgentSettings['files']>,
  { scratch, search }: { readonly scratch: string; readonly search: SearchPath },
): AddedFiles {
  const mounts: AddedFiles['mounts'][number][] = [];
  const added = Object.entries(files).map(([target, name]) => {
    const parent = nearestDirectory(dirname(target));
    const directory = realpathSync(parent);
    const isOwn = directory === '/' || ownDirectories.has(directory.split('/')[1] ?? '');
    return { target, source: requireOnPath(name, search), directory, isOwn, path: relative(parent, target) };
  });
  const [own = [], shared = []] = [true, false].map((isOwn) => added.filter((file) => file.isOwn === isOwn));
  for (const { source, target } of own) mounts.push({ source, target, readOnly: true, propagation: 'None' });
  for (const [index, directory] of [...new Set(shared.map((file) => file.directory))].entries()) {
    const [upper, merged] = [join(scratch, `${index}/added`), join(scratch, `${index}/merged`)];
    for (const file of shared.filter((each) => each.directory === directory))
      cpSync(file.source, join(upper, file.path));
    mkdirSync(merged, { recursive: true });
    linux.mount('overlay', merged, 'overlay', MS_NOSUID, `lowerdir=${upper}:${directory}`);
    mounts.push({ source: merged, target: directory, readOnly: true, propagation: 'None' });
  }
  return { mounts, files: new Set(own.map(({ target }) => target)) };
}

/** The deepest directory that exists. */
const nearestDirectory = (path: string): string => (existsSync(path) ? path : nearestDirectory(dirname(path)));
