import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';

const project = fileURLToPath(new URL('..', import.meta.url));

/** npm's error codes if a package can be neither downloaded nor found in its cache. */
const noPackages =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ERR_SOCKET_TIMEOUT|E401|E403)\b/;

/** The environment without the variables that npm sets for its scripts, because a user's npm has its own settings. */
export function userEnvironment(path: string): NodeJS.ProcessEnv {
  const ours = /^npm_(config_ignore_scripts|lifecycle|package)/;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))), PATH: path };
}

/** Compiles and packs the package into `<destination>/rekindle-<version>.tgz`. */
export function pack(destination: string): { readonly path: string; readonly bytes: number } {
  const args = ['pack', '--json', '--silent', `--pack-destination=${destination}`];
  const printed = execaSync('npm', args, { cwd: project, stdin: 'ignore', stderr: 'inherit' }).stdout;
  const [packed] = JSON.parse(printed) as [{ readonly filename: string; readonly size: number }];
  return { path: join(destination, packed.filename), bytes: packed.size };
}

/**
 * Installs a tarball into a folder, from npm's cache if possible. `path` is the PATH for npm. Returns the reason if the
 * dependencies are not available on this machine, otherwise undefined. Throws if npm fails for another reason.
 */
export function install(tarball: string, folder: string, path: string): string | undefined {
  // Without --prefix, npm uses the nearest parent folder that has a package.json.
  const args = [
    'install',
    `--prefix=${folder}`,
    '--prefer-offline',
    '--no-fund',
    '--no-audit',
    '--loglevel=error',
    tarball,
  ];
  const env = userEnvironment(path);
  const { failed, exitCode, all } = execaSync('npm', args, {
    cwd: folder,
    env,
    extendEnv: false,
    all: true,
    reject: false,
  });
  if (!failed) return undefined;
  const output = all ?? '';
  const code = noPackages.exec(output)?.[0];
  if (code === undefined) throw new Error(`npm install failed with status ${exitCode}:\n${output}`);
  return `npm can neither find them in its cache nor download them: ${code}`;
}

/**
 * Creates a folder that contains only links to the named programs, for use as a PATH without a compiler. Links to the first of
 * each on the PATH outside `node_modules`, which is the one that a user of the package has.
 */
export function foreignPrograms(names: readonly string[], folder: string, path: string): string {
  mkdirSync(folder);
  const directories = path.split(delimiter).filter((directory) => !directory.includes('node_modules'));
  for (const name of names) {
    const program = directories.map((directory) => join(directory, name)).find((candidate) => existsSync(candidate));
    if (program === undefined) throw new Error(`no ${name} on the PATH`);
    symlinkSync(program, join(folder, name));
  }
  return folder;
}
