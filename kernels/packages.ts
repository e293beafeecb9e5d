import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa, type Result } from 'execa';
import type { DebianKernel } from './catalogue.ts';

/** A package that cannot be had here; the message names it. */
export class PackageMissing extends Error {}

const { XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env;

/** A directory of the user's cache, which may not exist yet. */
export const cacheDirectory = (name: string) => join(XDG_CACHE_HOME, 'rekindle', name);

const cache = cacheDirectory('kernels');
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Packages as files of the cache. */
export interface KernelPackages {
  /** What the runner boots. */
  readonly kernel: string;
  readonly besides: readonly string[];
  /** `user-mode-linux 5.10um3+b1`. */
  readonly description: string;
}

/** Downloads a kernel's packages unless the cache has them. @throws PackageMissing */
export async function downloadKernel(wanted: DebianKernel): Promise<KernelPackages> {
  const { name, boots, suites, besides = [] } = wanted;
  const processor: string = wanted.processor ?? 'amd64';
  const apt = await openApt(name, suites, processor);
  const [kernel = '', ...others] = boots === 'user-mode' ? ['user-mode-linux'] : await cloudImage(apt, processor);
  const files = await apt.download([kernel, ...others, ...besides]);
  const [file = ''] = files;
  const [, packageName = kernel, version = ''] = /([^/]+)_([^_]+)_[^_]+\.deb$/.exec(file) ?? [];
  return { kernel: file, besides: files.slice(1), description: `${packageName} ${decodeURIComponent(version)}` };
}

/** The packages of the newest kernel for virtual machines, first the one with the kernel. From 7.0 on it is divided. */
async function cloudImage(apt: Apt, architecture: string): Promise<readonly string[]> {
  const [image] = findDependencies(await apt.dependencies(`linux-image-cloud-${architecture}`), 'linux-image');
  if (image === undefined) throw new PackageMissing(`linux-image-cloud-${architecture} names no kernel`);
  const parts = await apt.dependencies(image);
  const divided = [...findDependencies(parts, 'linux-binary'), ...findDependencies(parts, 'linux-modules')];
  return divided.length === 2 ? divided : [image];
}

/** The packages of a kind that `apt-cache depends` names. */
export function findDependencies(printed: string, kind: string): readonly string[] {
  return [...printed.matchAll(/^\s*Depends: (\S+)$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => new RegExp(`^${kind}-\\d`).test(name));
}

/**
 * The directory of a program that the runner needs: undefined if the machine has it, otherwise unpacked from its package.
 * @throws PackageMissing
 */
export async function directoryOf(program: string): Promise<string | undefined> {
  const found = await execa('which', [program], { reject: false });
  if (!found.failed) return undefined;
  const apt = await openApt('programs', ['bookworm']);
  return join(await unpack(await apt.download([program])), 'bin');
}

/** Unpacks packages into one directory of the cache, and resolves with it. */
export async function unpack(packages: readonly string[]): Promise<string> {
  const [first = ''] = packages;
  const directory = first.replace(/\.deb$/, '');
  for (const each of packages) await execa('dpkg-deb', ['-x', each, directory]);
  return directory;
}

type Apt = Awaited<ReturnType<typeof openApt>>;

/** apt with sources and lists of its own. The machine's proxies and other settings apply, its hooks do not. */
async function openApt(name: string, suites: readonly string[], architecture = 'amd64') {
  const directory = join(cache, name);
  const archives = join(directory, 'archives');
  for (const each of [join(directory, 'lists', 'partial'), join(archives, 'partial')])
    mkdirSync(each, { recursive: true });
  const sources = suites.map((suite) => {
    const archive = suite.endsWith('-security') ? 'debian-security' : 'debian';
    return `deb [arch=${architecture} signed-by=${keyring}] http://deb.debian.org/${archive} ${suite} main\n`;
  });
  writeFileSync(join(directory, 'sources.list'), sources.join(''));
  const settings = [
    ...['APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'].map((hook) => `#clear ${hook};`),
    'Dir::Etc::sourceparts "-";',
    `Dir::Etc::sourcelist "${directory}/sources.list";`,
    `Dir::State::lists "${directory}/lists";`,
    'Dir::State::status "/dev/null";',
    `Dir::Cache "${directory}";`,
    `APT::Architecture "${architecture}";`,
    'APT::Sandbox::User "root";',
  ];
  writeFileSync(join(directory, 'apt.conf'), `${settings.join('\n')}\n`);
  const runIn = (cwd: string, program: string, ...args: readonly string[]) =>
    execa(program, ['-c', `${directory}/apt.conf`, ...args], { cwd, reject: false, timeout: 300_000 });
  const run = runIn.bind(undefined, archives);
  // What an earlier run has downloaded is used if there is no network.
  const updated = await run('apt-get', 'update', '-qq');

  return {
    async dependencies(name: string): Promise<string> {
      const shown = await run('apt-cache', 'depends', name);
      if (shown.failed) throw new PackageMissing(`${name} (${suites.join(', ')}): ${firstError(updated, shown)}`);
      return shown.stdout;
    },
    async download(names: readonly string[]): Promise<readonly string[]> {
      // A file that is in the working directory already would not be named.
      const located = await runIn(directory, 'apt-get', 'download', '--print-uris', ...names);
      const files = [...located.stdout.matchAll(/^'\S+' (\S+\.deb) /gm)].map(([, file = '']) => file);
      const downloaded = await run('apt-get', 'download', '-qq', ...names);
      return names.map((name) => {
        const file = files.find((each) => each.startsWith(`${name}_`));
        if (file !== undefined && existsSync(join(archives, file))) return join(archives, file);
        throw new PackageMissing(`${name} (${suites.join(', ')}): ${firstError(updated, located, downloaded)}`);
      });
    },
  };
}

function firstError(...commands: readonly Pick<Result, 'failed' | 'shortMessage' | 'stderr'>[]): string {
  const failed = commands.find((command) => command.failed);
  const [, error = failed?.shortMessage ?? 'it is unknown'] = /^[EW]: (.+)$/m.exec(String(failed?.stderr ?? '')) ?? [];
  return error;
}
