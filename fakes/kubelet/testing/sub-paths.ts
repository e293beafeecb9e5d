import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { bindBeneath } from '../bind-beneath.ts';
import { detachBelow } from '../linux.ts';
import { bindSubPath } from '../mount-sources.ts';
import { scratchNode } from './scratch-node.ts';

/** Prints the results of subPath binds, hostile ones too, as JSON. */
const node = scratchNode();
const volume = join(node.path, 'volume');
const targets = join(node.path, 'pod/volume-subpaths');
mkdirSync(join(volume, 'logs/deep'), { recursive: true });
writeFileSync(join(volume, 'logs/file'), 'inside');
writeFileSync(join(volume, 'file'), 'a file');
mkdirSync(join(node.path, 'outside'));
writeFileSync(join(node.path, 'outside/secret'), 'outside');
symlinkSync('logs', join(volume, 'inner'));
symlinkSync('/etc', join(volume, 'absolute'));
symlinkSync('../outside', join(volume, 'relative'));
symlinkSync('relative', join(volume, 'twice'));

const options = { environment: { PATH: process.env.PATH ?? '' }, timeoutMs: 20_000 };
let count = 0;
const bind = async (subPath: string, target = join(targets, String(++count))) => {
  const refused = await bindSubPath({ volume, subPath, target }, options);
  return refused === undefined ? target : `refused: ${refused.replaceAll(node.path, 'NODE')}`;
};
const linesAt = (path: string) =>
  parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(({ mountPoint }) => mountPoint === path).length;
const contentOf = (path: string) => (path.startsWith('refused') ? path : readFileSync(path, 'utf8'));

const directory = await bind('logs');
const seen = {
  directory: contentOf(`${directory}/file`),
  file: contentOf(await bind('file')),
  through: contentOf(`${await bind('inner')}/file`),
  made: (await bind('new/er')).startsWith(targets),
  absolute: await bind('absolute'),
  relative: await bind('relative'),
  twice: await bind('twice'),
  below: await bind('relative/new'),
  upwards: await bind('../outside'),
};
const again = await bind('logs', directory);
const layers = [linesAt(directory)];
renameSync(join(volume, 'logs'), join(volume, 'old'));
mkdirSync(join(volume, 'logs'));
writeFileSync(join(volume, 'logs/file'), 'another');
await bind('logs', directory);
layers.push(linesAt(directory));
const replaced = readFileSync(join(directory, 'file'), 'utf8');

// A directory that takes turns with a symbolic link out of the volume, as fast as can be.
mkdirSync(join(volume, 'racing'));
writeFileSync(join(volume, 'racing/file'), 'inside');
symlinkSync('../outside', join(volume, 'link'));
const flip = `
  const { workerData: { volume, module }, parentPort } = require('node:worker_threads');
  const exchange = 2;
  import(module).then(({ libc }) => {
    parentPort.postMessage('racing');
    for (;;) libc.renameat2(-100, volume + '/racing', -100, volume + '/link', exchange);
  });`;
const module = new URL('../../../recovery/linux/libc.ts', import.meta.url).href;
const racer = new Worker(flip, { eval: true, workerData: { volume, module } });
await once(racer, 'message');
const sys = loadSyscalls();
const races = { bound: 0, refused: 0, outside: 0 };
const target = join(targets, 'race');
for (let round = 0; round < 3000; round++) {
  try {
    if (bindBeneath(sys, { volume, subPath: 'racing', target }) !== undefined) races.refused++;
    else if (readdirSync(target).includes('secret')) races.outside++;
    else races.bound++;
  } catch {
    races.refused++; // It was gone while it was looked at.
  }
  detachBelow(node.linux, target);
}
await racer.terminate();
detachBelow(node.linux, targets);
rmSync(targets, { recursive: true });
process.stdout.write(
  JSON.stringify({ ...seen, again: again === directory, layers, replaced, races, left: linesAt(directory) }),
);
process.exit(0);
