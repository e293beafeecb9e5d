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

/** Processors for which images are built, by Node's names. */
export type Processor = 'x64' | 'arm64';

/** What `docker build` needs for a processor; nothing for x86-64, so that the base image of the machine is used as it is. */
export function dockerArguments(processor: Processor): readonly string[] {
  if (processor === 'x64') return [];
  const paths = ['LOADER=/lib/ld-linux-aarch64.so.1', 'LIBRARIES=/lib/aarch64-linux-gnu'];
  return ['--platform=linux/arm64', ...paths.map((path) => `--build-arg=${path}`)];
}

/** Copies koffi, which cannot be bundled, into `node_modules`, without its documentation and C sources. */
export function copyKoffi(nodeModules: string, processor: string = process.arch, installed = installedPath): void {
  for (const name of ['koffi', `@koromix/koffi-linux-${processor}`])
    cpSync(installed(name), join(nodeModules, name), {
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
