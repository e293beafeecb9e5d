/**
 * What else may be on a node. Arguments: `silent MOUNTPOINT...` mounts FUSE and never answers INIT, `hung MOUNTPOINT...` answers only
 * that, `image MOUNTPOINT` serves the image of containers, `descriptors COUNT` opens a file COUNT times, or as often as it may, and `root JSON`
 * makes a `NeighbourRoot` its own. Creates the mount points. Prints a ready line.
 */
import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadSyscalls } from '../../recovery/linux/load-syscalls.ts';
import { MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_REC } from '../../recovery/linux/syscalls.ts';
import { encodeInit, encodeResponse, maxReadBytes, opcode, parseRequest } from '../fuse/raw-requests.ts';
import { loadLinux } from '../kubelet/linux.ts';
import { imageWith, serveTree } from './serve-tree.ts';

/** The root of a mount namespace that a tenant has made. */
export interface NeighbourRoot {
  /** An empty directory, on which it is built. */
  readonly directory: string;
  /** Its own files, which can be bound. */
  readonly files: readonly string[];
  /** What is bound to which path in it; `own`: a file of the root itself. */
  readonly binds: readonly {
    readonly source: string;
    readonly own?: true;
    readonly isFile?: true;
    readonly target: string;
  }[];
  /** FUSE mounts in it whose daemon has ended. */
  readonly dead: readonly { readonly path: string; readonly fstype: string; readonly source: string }[];
}

const [kind = '', ...rest] = process.argv.slice(2);
if (kind === 'descriptors') openMany(Number(rest[0]));
else if (kind === 'image') await mountImage(rest[0] ?? '');
else if (kind === 'root') enterRoot(JSON.parse(rest[0] ?? '{}'));
else for (const mountPoint of rest) mountSilently(mountPoint, kind === 'hung');
process.stdout.write('{"event":"ready"}\n');
setInterval(() => {}, 2 ** 30);

function openMany(count: number): void {
  try {
    for (let opened = 0; opened < count; opened++) openSync('/dev/null', 'r');
  } catch (error) {
    // The limit of this machine is lower.
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
}

/** The directories on the way to what a container mounts or runs. */
async function mountImage(target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const names = ['data', 'mnt', 'proc', 'run', 'sys', 'tmp', 'var'];
  await serveTree({ target, lower: imageWith(names), source: 'snapshotter' });
}

function mountSilently(target: string, answersInit: boolean): void {
  mkdirSync(target, { recursive: true });
  const fd = openSync('/dev/fuse', 'r+');
  const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0,allow_other`;
  const flags = MS_NOSUID | MS_NODEV;
  const mounted = loadSyscalls().mount({ source: 'neighbour', target, fstype: 'fuse.neighbour', flags, data });
  if (!mounted.ok) throw new Error(`mount ${target}: ${mounted.failure.errno}`);
  if (!answersInit) return;
  const buffer = Buffer.alloc(maxReadBytes + 4096);
  const request = parseRequest(buffer.subarray(0, readSync(fd, buffer)));
  if (request.opcode !== opcode.init) throw new Error(`request ${request.opcode} instead of INIT`);
  writeSync(fd, encodeResponse(request.unique, encodeInit(request.body)));
}

function enterRoot({ directory, files, binds, dead }: NeighbourRoot): void {
  const linux = loadLinux();
  linux.mount('neighbour', directory, 'tmpfs', MS_NOSUID | MS_NODEV);
  const makeFile = (path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '', { flag: 'a' });
  };
  for (const path of files) makeFile(join(directory, path));
  for (const { source, own, isFile, target } of binds) {
    const at = join(directory, target);
    if (isFile) makeFile(at);
    else mkdirSync(at, { recursive: true });
    const tree = linux.cloneTree(own ? join(directory, source) : source);
    linux.attachTree(tree, at);
    linux.close(tree);
    linux.mount(null, at, null, MS_PRIVATE | MS_REC);
  }
  for (const { path, fstype, source } of dead) {
    const at = join(directory, path);
    mkdirSync(at, { recursive: true });
    const fd = openSync('/dev/fuse', 'r+');
    linux.mount(source, at, fstype, MS_NOSUID | MS_NODEV, `fd=${fd},rootmode=40000,user_id=0,group_id=0`);
    closeSync(fd);
  }
  linux.pivotInto(directory);
}
