/**
 * A thread that serves the FUSE connections of histories over the raw protocol, while the main thread waits in its system calls. The
 * main thread writes one command at a time into shared memory and wakes this thread by an eventfd.
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { workerData } from 'node:worker_threads';
import {
  encodeAttributes,
  encodeDirectory,
  encodeEntry,
  encodeInit,
  encodeResponse,
  encodeStatfs,
  maxReadBytes,
  opcode,
  parseRequest,
} from '../../../../fakes/fuse/raw-requests.ts';
import { libc } from '../../../../recovery/linux/libc.ts';
import { type Command, commands, field, type SharedCommand } from './protocol.ts';

interface ServedDaemon {
  readonly number: number;
  readonly validSeconds: number;
  isSilent: boolean;
}

const POLLIN = 1;
const { ENOENT, ENOSYS } = constants.errno;
const { memory, wake } = workerData as SharedCommand;
const shared = new Int32Array(memory);
const daemons = new Map<number, ServedDaemon>();
const buffer = Buffer.alloc(maxReadBytes + 4096);
const counter = Buffer.alloc(8);

/** The directories by node: the root, `in` and `in/in`. Node 100 + n is the file in directory n. */
const directories = [1n, 2n, 3n];

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

function namesIn(node: bigint, { number }: ServedDaemon): readonly string[] {
  return node < 3n ? [`d${number}`, 'in'] : [`d${number}`];
}

function respond(daemon: ServedDaemon, request: ReturnType<typeof parseRequest>): Buffer | number | undefined {
  const { node, body } = request;
  switch (request.opcode) {
    case opcode.init: {
      const out = encodeInit(body);
      // Without the mount option default_permissions the kernel refuses a daemon that allows idmapped mounts.
      out.writeUInt32LE(0, 32);
      return out;
    }
    case opcode.lookup: {
      const name = body.toString('utf8', 0, body.indexOf(0));
      if (!namesIn(node, daemon).includes(name)) return ENOENT;
      const isDirectory = name === 'in';
      const child = isDirectory ? node + 1n : node + 100n;
      return encodeEntry(child, stat(isDirectory), daemon.validSeconds);
    }
    case opcode.getattr:
      return encodeAttributes(node, stat(directories.includes(node)), daemon.validSeconds);
    case opcode.statfs:
      return encodeStatfs(usage);
    case opcode.opendir:
      return Buffer.alloc(16);
    case opcode.readdir:
      return encodeDirectory(namesIn(node, daemon), Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
    case opcode.releasedir:
    case opcode.flush:
    case opcode.destroy:
      return Buffer.alloc(0);
    case opcode.forget:
    case opcode.batchForget:
    case opcode.interrupt:
      return undefined;
    default:
      return ENOSYS;
  }
}

function serveOne(fd: number, daemon: ServedDaemon): void {
  try {
    const length = readSync(fd, buffer);
    const request = parseRequest(buffer.subarray(0, length));
    const response = respond(daemon, request);
    if (response === undefined) return;
    writeSync(
      fd,
      typeof response === 'number'
        ? encodeResponse(request.unique, response)
        : encodeResponse(request.unique, 0, response),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENODEV: the connection was aborted, or its last mount is gone. The main thread still knows the descriptor, which must not be given
    // to another daemon. ENOENT: the caller was interrupted.
    if (code === 'ENODEV') daemon.isSilent = true;
    else if (code !== 'ENOENT') throw error;
  }
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
        number: shared[field.number] ?? 0,
        validSeconds: shared[field.validSeconds] ?? 0,
        isSilent: false,
      });
      break;
    case 'silence':
    case 'answer':
      if (daemon !== undefined) daemon.isSilent = command === 'silence';
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
