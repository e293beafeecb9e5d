import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));

/** What npm says where a package can neither be fetched nor found in its cache. */
const noPackages =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ERR_SOCKET_TIMEOUT|E401|E403)\b/;

/** The environment without what npm gave to the script that it started: a stranger's npm has settings of its own. */
export function strangersEnvironment(path: string): NodeJS.ProcessEnv {
  const ours = /^npm_(config_ignore_scripts|lifecycle|package)/;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))), PATH: path };
}

/** Compiles and packs. The tarball is `<destination>/rekindle-<version>.tgz`. */
export function pack(destination: string): { readonly path: string; readonly bytes: number } {
  const args = ['pack', '--json', '--silent', `--pack-destination=${destination}`];
  const printed = execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const [packed] = JSON.parse(printed) as [{ readonly filename: string; readonly size: number }];
  return { path: join(destination, packed.filename), bytes: packed.size };
}

/**
 * Installs a tarball into a folder, from npm's cache where it has what is needed. `path`: the PATH that npm has. Undefined, or
 * why its dependencies are not to be had here. Throws where npm fails otherwise.
 */
export function install(tarball: string, folder: string, path: string): string | undefined {
  // Without it npm takes the nearest folder above that has a package.json.
  const args = [
    'install',
    `--prefix=${folder}`,
    '--prefer-offline',
    '--no-fund',
    '--no-audit',
    '--loglevel=error',
    tarball,
  ];
  const env = strangersEnvironment(path);
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, env, encoding: 'utf8' });
  if (status === 0) return undefined;
  const said = `${stdout}${stderr}`;
  const why = noPackages.exec(said)?.[0];
  if (why === undefined) throw new Error(`npm install failed with status ${status}:\n${said}`);
  return `they are neither in npm's cache nor to be fetched: ${why}`;
}
