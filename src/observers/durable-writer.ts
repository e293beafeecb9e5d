/**
 * Creates files in a directory one after another, each with its own name as content, and prints a JSON line for each one whose fsync was
 * acknowledged: `acknowledged`, its name, and whether it is on a FUSE file system, or beneath the mount. Failures are tried again. Runs until
 * it is killed. Argument: the directory, which it creates.
 */
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, statfsSync, statSync, writeSync } from 'node:fs';

/** FUSE_SUPER_MAGIC, `man 2 statfs`. */
const fuseMagic = 0x65735546;
const everyMs = 50;
const [directory = ''] = process.argv.slice(2);
let count = 0;

function write(name: string): void {
  mkdirSync(directory, { recursive: true });
  const descriptor = openSync(`${directory}/${name}`, 'w');
  try {
    const onFuse = isOnFuse(descriptor);
    writeSync(descriptor, name);
    fsyncSync(descriptor);
    writeSync(1, `${JSON.stringify({ event: 'acknowledged', name, onFuse })}\n`);
  } finally {
    closeSync(descriptor);
  }
}

/** By the directory's path, as a container's /proc may not show this process. @throws if another mount is there meanwhile */
function isOnFuse(descriptor: number): boolean {
  const before = statSync(directory).dev;
  const { type } = statfsSync(directory);
  const devices = [before, statSync(directory).dev];
  const { dev } = fstatSync(descriptor);
  if (devices.some((device) => device !== dev)) throw new Error('the mount has changed');
  return type === fuseMagic;
}

setInterval(() => {
  try {
    write(`file-${count++}`);
  } catch {
    // The mount is dead or away, which the probe reports.
  }
}, everyMs);
