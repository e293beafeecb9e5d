/**
 * A thread that serves the FUSE connections of histories over the raw protocol, while the main thread waits in its system calls. The
 * main thread writes one command at a time into shared memory and wakes this thread by an eventfd.
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { workerData } from 'node:worker_threads';
import { encodeResponse, maxReadBytes, opcode, parseRequest } from '../../../../fakes/fuse/raw-requests.ts';
import { RawResponder, type ServedTree } from '../../../../fakes/fuse/raw-responder.ts';
import { libc } from '../../../../recovery/linux/libc.ts';
import { type Command, commands, field, type SharedCommand } from './protocol.ts';

interface ServedDaemon {
  readonly responder: RawResponder;
  isSilent: boolean;
  /** Whether it has answered the kernel's first request, which waits since the mount. */
  isGreeted: boolean;
}

const POLLIN = 1;
const { ENOENT, ENOSYS } = constants.errno;
const { memory, wake } = workerData as SharedCommand;
const shared = new Int32Array(memory);
const daemons = new Map<number, ServedDaemon>();
const buffer = Buffer.alloc(maxReadBytes + 4096);
const counter = Buffer.alloc(8);

const stat = (isDirectory: boolean) => ({
  mode: isDirectory ? 0o40755 : 0o100644,
  ...{
    size: 0,
    blocks: 0,
    nlink: 1,
    uid: 0,
    gid: 0,
    atime: 0,
    mtime: 0,
    ctime: 0,
    blksize: 4096,
    dev: 0,
    ino: 0,
    rdev: 0,
  },
});
const usage = {
  ...{ blocks: 1, bfree: 1, bavail: 1, files: 1, ffree: 1, favail: 1, bsize: 4096, frsize: 4096, namemax: 255 },
  ...{ fsid: 0, flag: 0 },
};

/** The directories `/`, `/in` and `/in/in`, each with a file `d` and the daemon's number. */
function treeOf(number: number): ServedTree {
  const directories = ['/', '/in', '/in/in'];
  const files = ['', '/in', '/in/in'].map((directory) => `${directory}/d${number}`);
  return {
    getattr(path, done) {
      const isDirectory = directories.includes(path);
      if (isDirectory || files.includes(path)) done(0, stat(isDirectory));
      else done(-ENOENT);
    },
    readdir: (path, done) => done(0, path === '/in/in' ? [`d${number}`] : [`d${number}`, 'in']),
    statfs: (_, done) => done(0, usage),
    open: (_, __, done) => done(-ENOSYS),
    read: (_, __, ___, ____, _____, done) => done(-ENOSYS),
  };
}

function serveOne(fd: number, daemon: ServedDaemon): void {
  try {
    const length = readSync(fd, buffer);
    const request = parseRequest(buffer.subarray(0, length));
    daemon.responder.respond(request, (response) => {
      if (response === undefined) return;
      // Without the mount option default_permissions the kernel refuses a daemon that allows idmapped mounts.
      if (request.opcode === opcode.init && typeof response !== 'number') response.writeUInt32LE(0, 32);
      writeSync(fd, encodeResponse(request.unique, response));
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENODEV: the connection was aborted, or its last mount is gone. The main thread still knows the descriptor, which must not be given
    // to another daemon. ENOENT: the caller was interrupted.
    if (code === 'ENODEV') daemon.isSilent = true;
    else if (code !== 'ENOENT') throw error;
  }
}

/** The first request is answered before the next step, because what follows a daemon's end depends on it. */
function greet(fd: number): void {
  const daemon = daemons.get(fd);
  if (daemon === undefined || daemon.isSilent || daemon.isGreeted) return;
  daemon.isGreeted = true;
  serveOne(fd, daemon);
}

function end(fd: number): void {
  daemons.delete(fd);
  closeSync(fd);
}

function execute(command: Command): void {
  const fd = shared[field.fd] ?? -1;
  const daemon = daemons.get(fd);
  switch (command) {
    case 'serve':
      daemons.set(fd, {
        responder: new RawResponder(treeOf(shared[field.number] ?? 0), shared[field.validSeconds] ?? 0),
        isSilent: shared[field.isSilent] === 1,
        isGreeted: false,
      });
      greet(fd);
      break;
    case 'silence':
    case 'answer':
      if (daemon !== undefined) daemon.isSilent = command === 'silence';
      greet(fd);
      break;
    case 'end':
      if (daemon !== undefined) end(fd);
      break;
    case 'end-all':
      for (const each of [...daemons.keys()]) end(each);
  }
}

for (;;) {
  const answering = [...daemons].filter(([, { isSilent }]) => !isSilent);
  const polled = Buffer.alloc(8 * (answering.length + 1));
  for (const [index, fd] of [wake, ...answering.map(([fd]) => fd)].entries()) {
    polled.writeInt32LE(fd, 8 * index);
    polled.writeInt16LE(POLLIN, 8 * index + 4);
  }
  libc.poll(polled, answering.length + 1, -1);
  for (const [index, [fd, daemon]] of answering.entries())
    if (polled.readInt16LE(8 * (index + 1) + 6) !== 0) serveOne(fd, daemon);
  if (polled.readInt16LE(6) === 0) continue;
  readSync(wake, counter);
  const command = commands[shared[field.command] ?? 0];
  if (command !== undefined) execute(command);
  Atomics.store(shared, field.isDone, 1);
  Atomics.notify(shared, field.isDone);
  if (command === 'stop') break;
}
