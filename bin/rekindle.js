#!/usr/bin/env node
/*
 * The command, for any Node from 20 on: replaces itself (execve) by the same Node if it is 24 or later, otherwise by the Node 24 that npm
 * installed, so that there is one process, and signals and exit status are its own. Written for old interpreters too, which need to
 * print why they cannot run it.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cannotRun = 3;
/** glibc's, which the Node of npm is linked against, by processor. */
const linkers = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' };
const major = Number(process.versions.node.split('.')[0]);
const require = createRequire(import.meta.url);

function refuse(sentence) {
  process.stderr.write(`rekindle: ${sentence}\n`);
  process.exit(cannotRun);
}

function checkMachine() {
  if (major < 20) refuse(`this is Node ${process.versions.node}: install Node 20 or later`);
  const linker = process.platform === 'linux' && linkers[process.arch];
  if (!linker) {
    const how = 'elsewhere in a container, as docs/how-to/run-on-another-system.md describes';
    refuse(`this is ${process.platform} on ${process.arch}: run it on Linux x86-64 or arm64; ${how}`);
  }
  if (!existsSync(linker)) {
    refuse('the C library is not glibc: run it on Debian, Ubuntu, Fedora, RHEL or their like, not on Alpine');
  }
}

function findNode() {
  try {
    // Any package shows that they are installed.
    if (major >= 24) return require.resolve('koffi') && process.execPath;
    return join(require.resolve(`node-linux-${process.arch}/package.json`), '..', 'bin', 'node');
  } catch {
    return refuse('the npm packages are missing: run npm ci in the folder of Rekindle');
  }
}

/** As process.execve, for a Node that has none yet. */
function execveByKoffi(path, args, env) {
  let libc;
  try {
    libc = require('koffi').load('libc.so.6');
  } catch (error) {
    return refuse(
      `koffi does not load (${error.message.split('\n')[0]}): run npm ci in a folder that is not mounted noexec`,
    );
  }
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const execve = libc.func('int execve(const char *path, const char **args, const char **env)');
  const setDescriptorFlags = 2;
  // Node marks what it inherits as close-on-exec; standard input, output and error are to stay.
  for (const descriptor of [0, 1, 2]) fcntl(descriptor, setDescriptorFlags, 'int', 0);
  execve(path, [...args, null], [...Object.entries(env).map(([name, value]) => `${name}=${value}`), null]);
  return refuse(`${path} cannot be executed: run npm ci in the folder of Rekindle`);
}

/** The sources in a checkout; in a package what was compiled of them, since Node strips no types below node_modules. */
function findMain() {
  const places = ['../src/cli/main.ts', '../src/cli/main.js', '../dist/lib/src/cli/main.js'];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  return found ?? refuse('this package was packed without its compiled code: make it with "npm run package"');
}

/** Compiled code is kept in the user's own cache, so that the next start is quicker; nowhere else, since it is trusted. */
function withCompileCache(env) {
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return { NODE_COMPILE_CACHE: join(cache, 'rekindle'), ...env };
}

checkMachine();
const node = findNode();
if (!existsSync(node)) refuse(`${node} is missing: run npm ci in the folder of Rekindle`);
const main = findMain();
const args = [node, main, ...process.argv.slice(2)];
const env = withCompileCache(process.env);
if (process.execve) process.execve(node, args, env);
else execveByKoffi(node, args, env);
