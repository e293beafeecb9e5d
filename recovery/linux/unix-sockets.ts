import type { Result } from '../engine/ports.ts';
import { lastErrno, libc } from './libc.ts';
import { done, failed, ok } from './result.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SO_PEERCRED = 17;
const SO_RCVTIMEO = 20;
const SO_PEERPIDFD = 77;
const MSG_CTRUNC = 0x8;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const backlog = 16;
/** `struct cmsghdr` before its descriptors. */
const controlHeaderBytes = 16;
const maxMessageBytes = 4096;
const maxDescriptors = 4;
/** `sizeof(sockaddr_un.sun_path)`, with its NUL. */
const maxPathBytes = 108;

/** What one `sendmsg` passes. The receiver owns the descriptors. */
export interface DescriptorMessage {
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
}

/** The process at the other end of a connection, as it was when it connected. */
export interface SocketPeer {
  readonly pid: number;
  readonly uid: number;
  /** Owned by the caller; readable once all threads of the process have ended. */
  readonly pidfd: number;
}

/** Listens without blocking. ENAMETOOLONG: use `/proc/self/fd/N/name` for a directory that is open. */
export function listenUnix(path: string): Result<number> {
  return withSocket(SOCK_NONBLOCK, (socket) => {
    const address = encodeAddress(path);
    if (!address.ok) return address;
    const bound = nothing(libc.bind(socket, address.value, address.value.length), 'bind', path);
    return bound.ok ? nothing(libc.listen(socket, backlog), 'listen', path) : bound;
  });
}

/** The next connection, which does not block. EAGAIN: there is none. */
export function acceptUnix(socket: number): Result<number> {
  return value(libc.accept4(socket, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC), 'accept4', '');
}

/** Connects. Receiving on the connection fails with EAGAIN after the given time; it waits for ever if that is 0. */
export function connectUnix(path: string, receiveTimeoutMs: number): Result<number> {
  return withSocket(0, (socket) => {
    const address = encodeAddress(path);
    if (!address.ok) return address;
    const limited = limitReceiving(socket, receiveTimeoutMs);
    return limited.ok ? nothing(libc.connect(socket, address.value, address.value.length), 'connect', path) : limited;
  });
}

/** How long receiving may wait from now on; 0: for ever. */
export function limitReceiving(socket: number, milliseconds: number): Result<void> {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.trunc(milliseconds / 1000)), 0);
  time.writeBigInt64LE(BigInt((milliseconds % 1000) * 1000), 8);
  return nothing(libc.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, time, time.length), 'setsockopt', '');
}

/** Sends a message. The descriptors stay open here. */
export function sendDescriptors(socket: number, { bytes, descriptors }: DescriptorMessage): Result<void> {
  const length = controlHeaderBytes + 4 * descriptors.length;
  // A control message fills a multiple of eight bytes (CMSG_SPACE).
  const control = Buffer.alloc((length + 7) & ~7);
  control.writeBigUInt64LE(BigInt(length), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [index, fd] of descriptors.entries()) control.writeInt32LE(fd, controlHeaderBytes + 4 * index);
  const sent = value(libc.sendmsg(socket, encodeHeader(bytes, control), MSG_NOSIGNAL), 'sendmsg', '');
  return sent.ok ? done : sent;
}

/** The next message; undefined at the end of the connection. EMFILE: there is no room for its descriptors in this process. */
export function receiveDescriptors(socket: number): Result<DescriptorMessage | undefined> {
  const bytes = Buffer.alloc(maxMessageBytes);
  const control = Buffer.alloc(controlHeaderBytes + 4 * maxDescriptors);
  const header = encodeHeader(bytes, control);
  return decode(value(libc.recvmsg(socket, header, MSG_CMSG_CLOEXEC), 'recvmsg', ''), header, bytes, control);
}

/** The same in another thread. */
export async function awaitDescriptors(socket: number): Promise<Result<DescriptorMessage | undefined>> {
  const bytes = Buffer.alloc(maxMessageBytes);
  const control = Buffer.alloc(controlHeaderBytes + 4 * maxDescriptors);
  const header = encodeHeader(bytes, control);
  return new Promise((resolve, reject) => {
    libc.recvmsg.async(socket, header, MSG_CMSG_CLOEXEC, (error: unknown, returned: number) => {
      if (error) reject(error);
      else resolve(decode(value(returned, 'recvmsg', ''), header, bytes, control));
    });
  });
}

/** ENOPROTOOPT: Linux before 6.5 has no SO_PEERPIDFD. */
export function peerOf(socket: number): Result<SocketPeer> {
  const buffer = Buffer.alloc(12);
  const length = Buffer.alloc(4);
  const get = (option: number, bytes: number): Result<void> => {
    length.writeUInt32LE(bytes);
    return nothing(libc.getsockopt(socket, SOL_SOCKET, option, buffer, length), 'getsockopt', '');
  };
  const credentials = get(SO_PEERCRED, 12);
  if (!credentials.ok) return credentials;
  const [pid, uid] = [buffer.readInt32LE(0), buffer.readUInt32LE(4)];
  const process = get(SO_PEERPIDFD, 4);
  return process.ok ? ok({ pid, uid, pidfd: buffer.readInt32LE(0) }) : process;
}

function decode(
  received: Result<number>,
  header: MessageHeader,
  bytes: Buffer,
  control: Buffer,
): Result<DescriptorMessage | undefined> {
  if (!received.ok) return received;
  const length = header.controlLength >= controlHeaderBytes ? Number(control.readBigUInt64LE(0)) : 0;
  const descriptors: number[] = [];
  for (let at = controlHeaderBytes; at + 4 <= length; at += 4) descriptors.push(control.readInt32LE(at));
  if ((header.flags & MSG_CTRUNC) !== 0) {
    for (const fd of descriptors) libc.close(fd);
    return failed({ errno: 'EMFILE', call: 'recvmsg', path: '', step: '' });
  }
  if (received.value === 0) return ok(undefined);
  return ok({ bytes: bytes.subarray(0, received.value), descriptors });
}

/** `struct msghdr`, of which `recvmsg` changes the last two fields. */
interface MessageHeader {
  readonly name: null;
  readonly nameLength: 0;
  readonly parts: readonly [{ readonly base: Buffer; readonly length: number }];
  readonly partCount: 1;
  readonly control: Buffer;
  controlLength: number;
  flags: number;
}

function encodeHeader(bytes: Buffer, control: Buffer): MessageHeader {
  return {
    name: null,
    nameLength: 0,
    parts: [{ base: bytes, length: bytes.length }],
    partCount: 1,
    control,
    controlLength: control.length,
    flags: 0,
  };
}

function encodeAddress(path: string): Result<Buffer> {
  const name = Buffer.from(`${path}\0`);
  if (name.length > maxPathBytes) return failed({ errno: 'ENAMETOOLONG', call: 'bind', path, step: '' });
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return ok(address);
}

/** Creates a socket, and closes it again if the preparation fails. */
function withSocket(flags: number, prepare: (socket: number) => Result<void>): Result<number> {
  const socket = value(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), 'socket', '');
  if (!socket.ok) return socket;
  const prepared = prepare(socket.value);
  if (prepared.ok) return socket;
  libc.close(socket.value);
  return prepared;
}

function value(returned: number, call: string, path: string): Result<number> {
  return Number(returned) >= 0 ? ok(Number(returned)) : failed({ errno: lastErrno(), call, path, step: '' });
}

function nothing(returned: number, call: string, path: string): Result<void> {
  const result = value(returned, call, path);
  return result.ok ? done : result;
}
