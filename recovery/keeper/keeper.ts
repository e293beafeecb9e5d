import { closeSync, existsSync, lstatSync, openSync, readdirSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { DeviceId, Failure, Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';
import { deviceOfDescriptor, hasConnectionEnded, isFuseDescriptor, requestResend } from '../linux/fuse-descriptor.ts';
import { loadSyscalls } from '../linux/load-syscalls.ts';
import { errnoOf } from '../linux/result.ts';
import {
  acceptUnix,
  type DescriptorMessage,
  listenUnix,
  peerOf,
  receiveDescriptors,
  type SocketPeer,
  sendDescriptors,
} from '../linux/unix-sockets.ts';
import { onReadable } from '../linux/watch.ts';
import type { Log } from '../log.ts';
import {
  emptyKeeping,
  type Keeping,
  type KeepingEffect,
  type KeepingEvent,
  type KeptDescriptor,
  type Peer,
  stepKeeping,
} from './keeping.ts';
import { writeKeptFile } from './kept-file.ts';
import { keptFileName, messages, socketName } from './protocol.ts';

export interface KeeperOptions {
  /** Only root may write it. Each directory in it belongs to the volume whose pod mounts that directory and no other. */
  readonly directory: string;
  /** How long a connection without a daemon is kept. */
  readonly deadline: Nanoseconds;
  /** Why this kernel has no takeover; undefined if it has. */
  readonly unsupported: string | undefined;
  readonly clock: ClockPort;
  readonly log: Log;
}

/** How often directories and connections are looked at without a notification. */
const checkPeriod = 1_000_000_000n as Nanoseconds;

/** A daemon needs one connection, and its successor another. More would use up the descriptors of other volumes. */
const maxConnections = 16;

interface ConnectedPeer extends Peer {
  readonly socket: number;
  /** Disposal closes the socket. */
  readonly reading: Disposable;
  /** Readable once the process has ended. Disposal of `living`, which calls back then, closes it. */
  readonly pidfd: number;
  readonly living: Disposable;
}

interface ServedVolume {
  readonly name: string;
  readonly peers: Map<number, ConnectedPeer>;
  readonly listening: Disposable;
  keeping: Keeping;
  timer: Disposable | undefined;
}

/**
 * Keeps the /dev/fuse descriptor of each volume whose daemon sends it, so that the connection outlives the daemon, and hands it to the
 * next daemon. It decides nothing itself: `stepKeeping` does.
 */
export class Keeper implements Disposable {
  readonly #options: KeeperOptions;
  readonly #sys = loadSyscalls();
  readonly #volumes = new Map<string, ServedVolume>();
  /** The last problem of each directory and file, so that each is reported once. */
  readonly #problems = new Map<string, string>();
  readonly #parts = new DisposableStack();
  /** Sent where a message needs a descriptor that means nothing. */
  readonly #placeholder = openSync('/dev/null', 'r');
  /** Given up for a moment if there are no descriptors left, so that a daemon that connects can be refused. */
  #spare: number | undefined = openSync('/dev/null', 'r');
  #connections = 0;
  #keptText: string | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Must be called once. */
  start(): void {
    const { unsupported, log } = this.#options;
    if (unsupported !== undefined) log.warn('unsupported', { reason: unsupported });
    this.#watchDirectory();
    // What an earlier keeper has left.
    this.#writeKept();
    this.#check();
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#parts.dispose();
    for (const { listening, peers, timer } of this.#volumes.values()) {
      listening[Symbol.dispose]();
      timer?.[Symbol.dispose]();
      for (const peer of peers.values()) forget(peer);
    }
  }

  /** Volumes are found within `checkPeriod` if their directory cannot be watched. */
  #watchDirectory(): void {
    const { directory } = this.#options;
    const failed = (error: unknown) => {
      const cause = explainFailure({ errno: errnoOf(error), call: 'inotify', path: directory });
      this.#report(directory, `new volumes are noticed only once a second, because ${cause}`);
    };
    try {
      const watcher = watch(directory, () => this.#check());
      watcher.on('error', failed);
      this.#parts.defer(() => watcher.close());
    } catch (error) {
      failed(error);
    }
  }

  #schedule(): void {
    const timer = this.#options.clock.after(checkPeriod, () => {
      this.#check();
      this.#schedule();
    });
    this.#parts.use(timer);
  }

  /** Listens in directories that are new, and drops connections that have ended. */
  #check(): void {
    const { directory } = this.#options;
    try {
      for (const name of readdirSync(directory)) if (!this.#volumes.has(name)) this.#open(name);
      this.#solved(`${directory}/`);
    } catch (error) {
      const cause = explainFailure({ errno: errnoOf(error), call: 'readdir', path: directory });
      this.#report(
        `${directory}/`,
        `new volumes are not noticed, and their daemons run without a keeper, because ${cause}`,
      );
    }
    for (const volume of this.#volumes.values()) {
      this.#dropEnded(volume);
      this.#dropRemoved(volume);
    }
    this.#writeKept();
  }

  #open(name: string): void {
    const path = join(this.#options.directory, name);
    try {
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status?.isDirectory() !== true) return;
      if (status.uid !== 0 || (status.mode & 0o022) !== 0) {
        this.#report(path, `${path} may be written by others than root: chown root ${path} and chmod 755 ${path}`);
        return;
      }
      rmSync(join(path, socketName), { force: true });
      const socket = this.#inDirectory(path, (short) => listenUnix(`${short}/${socketName}`));
      if (socket.ok) this.#listen(name, socket.value);
      else this.#lacksSocket(path, { ...socket.failure, path });
    } catch (error) {
      this.#lacksSocket(path, { errno: errnoOf(error), call: 'open', path });
    }
  }

  #listen(name: string, socket: number): void {
    const listening = onReadable(this.#sys, socket, () => this.#accept(volume, socket));
    const volume: ServedVolume = { name, peers: new Map(), listening, keeping: emptyKeeping, timer: undefined };
    this.#volumes.set(name, volume);
    this.#solved(join(this.#options.directory, name));
    this.#options.log.info('listening', { volume: name });
  }

  #lacksSocket(path: string, failure: Omit<Failure, 'step'>): void {
    this.#report(path, `daemons of ${path} run without a keeper, because ${explainFailure(failure)}`);
  }

  /** The path of a socket is limited to 107 bytes, so its directory is named by a descriptor. */
  #inDirectory<T>(path: string, work: (short: string) => T): T {
    const fd = openSync(path, 'r');
    try {
      return work(`/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  }

  #accept(volume: ServedVolume, listening: number): void {
    const socket = acceptUnix(listening);
    if (!socket.ok) {
      if (socket.failure.errno !== 'EAGAIN') this.#turnAway(volume, listening, socket.failure);
      return;
    }
    const peer = peerOf(socket.value);
    if (!peer.ok) {
      // Without SO_PEERPIDFD (Linux 6.5) there is no takeover either.
      this.#refuseSocket(
        volume,
        socket.value,
        `a daemon cannot be identified, because ${explainFailure(peer.failure)}`,
      );
      return;
    }
    const { pid, pidfd } = peer.value;
    const connected: ConnectedPeer = {
      connection: this.#connections++,
      pid,
      socket: socket.value,
      pidfd,
      reading: onReadable(this.#sys, socket.value, () => this.#receive(volume, connected)),
      living: onReadable(this.#sys, pidfd, () => this.#exited(volume, connected)),
    };
    volume.peers.set(connected.connection, connected);
    const { unsupported } = this.#options;
    const tooMany = `volume ${volume.name} has ${maxConnections} connections already: let its daemon connect once`;
    const refusal = refusalOf(peer.value) ?? unsupported ?? (volume.peers.size > maxConnections ? tooMany : undefined);
    if (refusal !== undefined) {
      this.#refuse(volume, connected, refusal);
      return;
    }
    // Their ends may be reported after this connection, for which they would be in the way.
    for (const each of [...volume.peers.values()]) {
      const ended = this.#sys.waitReadable(each.pidfd, 0);
      if (ended.ok && ended.value) this.#exited(volume, each);
    }
    this.#dropEnded(volume);
    this.#dispatch(volume, { kind: 'connected', peer: connected });
  }

  /** Without a descriptor for the connection it would wait, and keep the keeper awake, until there is one. */
  #turnAway(volume: ServedVolume, listening: number, failure: Failure): void {
    if (this.#spare !== undefined) closeSync(this.#spare);
    const socket = acceptUnix(listening);
    const sentence = `a daemon cannot connect, because ${explainFailure(failure)}`;
    if (socket.ok) this.#refuseSocket(volume, socket.value, sentence);
    else this.#options.log.error('failed', { volume: volume.name, reason: sentence });
    try {
      this.#spare = openSync('/dev/null', 'r');
    } catch {
      this.#spare = undefined;
    }
  }

  /** Refuses a process of which nothing but its socket is known, and closes that. */
  #refuseSocket({ name }: ServedVolume, socket: number, sentence: string): void {
    this.#options.log.warn('refused', { volume: name, reason: sentence });
    // The first descriptor means nothing to the receiver.
    sendDescriptors(socket, { bytes: Buffer.from(`${messages.refused}${sentence}`), descriptors: [socket] });
    this.#sys.close(socket);
  }

  #receive(volume: ServedVolume, peer: ConnectedPeer): void {
    const received = receiveDescriptors(peer.socket);
    if (!received.ok) {
      if (received.failure.errno === 'EAGAIN') return;
      const cause = explainFailure(received.failure);
      this.#refuse(volume, peer, `the descriptor of process ${peer.pid} cannot be received, because ${cause}`);
      return;
    }
    if (received.value === undefined) {
      this.#disconnected(volume, peer);
      return;
    }
    const { bytes, descriptors } = received.value;
    const [descriptor, ...others] = descriptors;
    const setting = bytes.toString('utf8');
    const isOffer = descriptor !== undefined && setting !== messages.close && isFuseDescriptor(descriptor);
    for (const fd of isOffer ? others : descriptors) closeSync(fd);
    if (isOffer) {
      const device = deviceOfDescriptor(descriptor) ?? deviceIn(setting);
      this.#dispatch(volume, { kind: 'offered', peer, kept: { descriptor, setting, device } });
    } else if (setting === messages.close) this.#dispatch(volume, { kind: 'released', peer });
    else this.#refuse(volume, peer, `process ${peer.pid} sent no descriptor of /dev/fuse`);
  }

  #disconnected(volume: ServedVolume, peer: ConnectedPeer): void {
    peer.reading[Symbol.dispose]();
    this.#dispatch(volume, { kind: 'disconnected', peer });
    // A process that serves the connection may do so without the socket, as JuiceFS' does, so its end is still waited for.
    const isOnly = ![...volume.peers.values()].some((other) => other !== peer && other.pid === peer.pid);
    if (volume.keeping.holder?.pid === peer.pid && isOnly) return;
    forget(peer);
    volume.peers.delete(peer.connection);
  }

  #exited(volume: ServedVolume, peer: ConnectedPeer): void {
    forget(peer);
    volume.peers.delete(peer.connection);
    this.#dropEnded(volume);
    this.#dispatch(volume, { kind: 'exited', peer });
  }

  #dropEnded(volume: ServedVolume): void {
    const { kept } = volume.keeping;
    if (kept !== undefined && hasConnectionEnded(kept.descriptor)) this.#dispatch(volume, { kind: 'ended' });
  }

  /** Its directory may be made again, with another socket. */
  #dropRemoved({ name, peers, listening, keeping }: ServedVolume): void {
    if (peers.size > 0 || keeping.kept !== undefined) return;
    if (existsSync(join(this.#options.directory, name, socketName))) return;
    listening[Symbol.dispose]();
    this.#volumes.delete(name);
  }

  #dispatch(volume: ServedVolume, event: KeepingEvent): void {
    const { clock, deadline } = this.#options;
    const { keeping, effects } = stepKeeping(volume.keeping, event, { now: clock.now(), deadline });
    volume.keeping = keeping;
    // Handing over comes first: the volume's readers wait for it.
    const ordered = [...effects].sort((a, b) => Number(b.kind === 'hand-over') - Number(a.kind === 'hand-over'));
    for (const effect of ordered) this.#perform(volume, effect);
    this.#watchDeadline(volume);
    this.#writeKept();
  }

  #perform(volume: ServedVolume, effect: KeepingEffect): void {
    switch (effect.kind) {
      case 'greet':
        this.#send(volume, effect.peer, { bytes: Buffer.from(messages[effect.message]), descriptors: [] });
        break;
      case 'hand-over':
        this.#handOver(volume, effect.peer, effect.kept);
        break;
      case 'refuse': {
        const peer = volume.peers.get(effect.peer.connection);
        if (peer !== undefined) this.#refuse(volume, peer, effect.sentence);
        break;
      }
      case 'close':
        closeSync(effect.descriptor);
        break;
      case 'report': {
        const { pid, device } = effect;
        const reason =
          effect.event === 'given-up' && pid !== undefined
            ? `process ${pid} has been handed the connection and does not serve it: only a daemon that can continue on one may use the keeper`
            : undefined;
        this.#options.log.info(effect.event, { volume: volume.name, pid, device, reason });
        break;
      }
    }
  }

  #handOver(volume: ServedVolume, peer: Peer, { descriptor, setting }: KeptDescriptor): void {
    const asked = requestResend(descriptor);
    if (!asked.ok) this.#failed(volume, 'unanswered requests are not sent again', asked.failure);
    const sent = this.#send(volume, peer, { bytes: Buffer.from(setting), descriptors: [descriptor] });
    // Without the descriptor the process serves as little as one that has ended.
    if (!sent) this.#dispatch(volume, { kind: 'exited', peer });
  }

  #send(volume: ServedVolume, { connection }: Peer, { bytes, descriptors }: DescriptorMessage): boolean {
    const socket = volume.peers.get(connection)?.socket;
    if (socket === undefined) return false;
    const sent = sendDescriptors(socket, { bytes, descriptors: [this.#placeholder, ...descriptors] });
    if (!sent.ok) this.#failed(volume, 'a daemon cannot be reached', sent.failure);
    return sent.ok;
  }

  #refuse(volume: ServedVolume, peer: ConnectedPeer, sentence: string): void {
    this.#options.log.warn('refused', { volume: volume.name, pid: peer.pid, reason: sentence });
    this.#send(volume, peer, { bytes: Buffer.from(`${messages.refused}${sentence}`), descriptors: [] });
    this.#disconnected(volume, peer);
  }

  #watchDeadline(volume: ServedVolume): void {
    const { clock, deadline } = this.#options;
    volume.timer?.[Symbol.dispose]();
    const { orphanedAt } = volume.keeping;
    volume.timer =
      orphanedAt === undefined
        ? undefined
        : clock.after((orphanedAt + deadline - clock.now()) as Nanoseconds, () =>
            this.#dispatch(volume, { kind: 'tick' }),
          );
  }

  /** Names the connections without a daemon to the agent. */
  #writeKept(): void {
    const { directory, deadline } = this.#options;
    const kept = [...this.#volumes.values()].flatMap(({ keeping: { kept: each, orphanedAt } }) => {
      if (each?.device === undefined || orphanedAt === undefined) return [];
      return [{ device: each.device, until: (orphanedAt + deadline) as Nanoseconds }];
    });
    const text = kept.map(({ device, until }) => `${device} ${until}`).join();
    if (text === this.#keptText) return;
    const path = join(directory, keptFileName);
    try {
      writeKeptFile(directory, kept);
      this.#keptText = text;
      this.#solved(path);
    } catch (error) {
      const cause = explainFailure({ errno: errnoOf(error), call: 'write', path });
      this.#report(path, `the agent takes connections that are kept for hung until their deadline, because ${cause}`);
    }
  }

  /** Logs a problem of a path unless it is the one that was logged last. */
  #report(path: string, reason: string): void {
    if (this.#problems.get(path) === reason) return;
    this.#problems.set(path, reason);
    this.#options.log.warn('refused', { path, reason });
  }

  #solved(path: string): void {
    this.#problems.delete(path);
  }

  #failed({ name }: Pick<ServedVolume, 'name'>, effect: string, failure: Failure): void {
    this.#options.log.error('failed', { volume: name, reason: `${effect}, because ${explainFailure(failure)}` });
  }
}

/** A process of another PID namespace has the number 0 here, so that two of them could not be distinguished. */
function refusalOf({ pid, uid }: SocketPeer): string | undefined {
  if (pid === 0) return "a process outside of the node's PID namespace has connected: run the keeper with hostPID";
  if (uid === 0) return undefined;
  return `process ${pid} runs as user ${uid}, and only root may hand over a connection`;
}

function forget({ reading, living }: ConnectedPeer): void {
  reading[Symbol.dispose]();
  living[Symbol.dispose]();
}

/** The device that a daemon names, as `{"device":"0:55"}`. */
function deviceIn(setting: string): DeviceId | undefined {
  const named = /"device":"(0:\d+)"/.exec(setting)?.[1];
  return named === undefined ? undefined : (named as DeviceId);
}

/** Why a call of the keeper has failed, and what an operator can do about it: the second half of a sentence. */
export function explainFailure({ errno, call, path }: Pick<Failure, 'errno' | 'call' | 'path'>): string {
  const at = path === '' ? '' : ` ${path}`;
  switch (errno) {
    case 'EMFILE':
      return `the keeper may open no more descriptors (${call}): raise its limit of open files`;
    case 'ENFILE':
      return `the node has no descriptors left (${call}): raise fs.file-max`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `there is no room left (${call}${at}): free space or inodes there`;
    case 'ENOMEM':
    case 'ENOBUFS':
      return `there is no memory left (${call}): raise the keeper's memory limit`;
    default:
      return `${call}${at} fails with ${errno}`;
  }
}
