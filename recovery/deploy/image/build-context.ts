import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The path of an npm package's file in the nearest `node_modules` directory above this file that contains it. */
export function installedPath(path: string): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', path);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) throw new Error(`${path} is not installed above ${import.meta.dirname}`);
  }
}

/** Where the base image has its libraries, as arguments of `docker build`. */
export function libraryArguments(processor: string = process.arch): readonly string[] {
  if (processor !== 'arm64') return [];
  return ['--build-arg=LOADER=/lib/ld-linux-aarch64.so.1', '--build-arg=LIBRARIES=/lib/aarch64-linux-gnu'];
}

/** Copies koffi, which cannot be bundled, into `node_modules`, without its documentation and C sources. */
export function copyKoffi(nodeModules: string): void {
  for (const name of ['koffi', `@koromix/koffi-linux-${process.arch}`])
    cpSync(installedPath(name), join(nodeModules, name), {
      recursive: true,
      filter: (path) =>
        statSync(path).isDirectory() ? !/\/(doc|vendor)$/.test(path) : !/\.(md|d\.ts|cc|hh|h|S|asm)$/.test(path),
    });
}

/** Identifies an image by its Dockerfile and the files that go into it. */
export function hashContext(dockerfile: string, folder: string): string {
  const hash = createHash('sha256').update(readFileSync(dockerfile));
  for (const name of globSync('**/*', { cwd: folder }).sort()) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}
