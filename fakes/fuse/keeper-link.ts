import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { messages } from '../../recovery/keeper/protocol.ts';
import {
  awaitDescriptors,
  connectUnix,
  type DescriptorMessage,
  limitReceiving,
  sendDescriptors,
} from '../../recovery/linux/unix-sockets.ts';
import { isAlive } from './dead-mounts.ts';
import type { EmitEvent } from './event-lines.ts';

/** How long a keeper may take to greet. */
const greetingTimeoutMs = 1_000;
const reconnectMs = 100;
const mountCheckMs = 500;

/** A connection that another daemon has served, to be served without INIT. */
export interface TakenConnection {
  readonly fd: number;
  /** What the other daemon sent with it. */
  readonly setting: string;
}

export interface KeeperLinkOptions {
  /** The keeper's socket of this volume. */
  readonly path: string;
  readonly mountpoint: string;
  readonly emit: EmitEvent;
}

/** The daemon's side of the keeper's protocol (`recovery/keeper/protocol.ts`). Without a keeper the daemon works as if it had none. */
export class KeeperLink {
  readonly #options: KeeperLinkOptions;
  #socket: number | undefined;
  #isRefused = false;

  constructor(options: KeeperLinkOptions) {
    this.#options = options;
  }

  /** The connection to continue on; undefined: mount. Waits as long as another daemon serves the volume. */
  async ask(): Promise<TakenConnection | undefined> {
    const { mountpoint, emit } = this.#options;
    let isSuccessor = false;
    while (!this.#isRefused) {
      const message = await this.#next();
      if (message === undefined) {
        // A keeper that has gone while this daemon waited comes back, and the other daemon continues meanwhile.
        if (!isSuccessor || !(await isAlive(mountpoint))) return undefined;
        await delay(reconnectMs);
        continue;
      }
      const taken = takenFrom(message);
      if (taken !== undefined) return taken;
      const text = message.bytes.toString('utf8');
      if (text === messages.wait) {
        if (!isSuccessor) emit('waiting');
        isSuccessor = true;
        if (this.#socket !== undefined) limitReceiving(this.#socket, 0);
      } else if (text === messages.nothing) {
        if (!isSuccessor) return undefined;
        // The keeper was restarted, and the other daemon will send its descriptor unless it has ended meanwhile.
        if (!(await isAlive(mountpoint))) return undefined;
        if (this.#socket !== undefined) limitReceiving(this.#socket, mountCheckMs);
      } else this.#refused(text);
    }
    return undefined;
  }

  /** Gives the keeper the descriptor, and again whenever the keeper has been restarted. Also confirms that a taken connection is served. */
  async keep(fd: number, setting: string): Promise<void> {
    const message = { bytes: Buffer.from(setting), descriptors: [fd] };
    while (!this.#isRefused) {
      if (this.#socket === undefined && !(await this.#reconnect())) {
        await delay(reconnectMs);
        continue;
      }
      if (this.#socket === undefined) return;
      limitReceiving(this.#socket, 0);
      if (sendDescriptors(this.#socket, message).ok) this.#options.emit('offered');
      for (let answer = await this.#next(); answer !== undefined; answer = await this.#next()) {
        for (const each of answer.descriptors) closeSync(each);
        const text = answer.bytes.toString('utf8');
        if (text.startsWith(messages.refused)) return this.#refused(text);
      }
    }
  }

  /** Asks the keeper to close the descriptor that it has handed over, because this daemon cannot continue on it. */
  release({ fd }: TakenConnection): void {
    if (this.#socket !== undefined)
      sendDescriptors(this.#socket, { bytes: Buffer.from(messages.close), descriptors: [fd] });
    closeSync(fd);
  }

  /** The next message; undefined if there is no keeper, or it has ended the connection, or it takes too long. */
  async #next(): Promise<DescriptorMessage | undefined> {
    if (this.#socket === undefined) {
      const connected = connectUnix(this.#options.path, greetingTimeoutMs);
      if (!connected.ok) return undefined;
      this.#socket = connected.value;
    }
    const received = await awaitDescriptors(this.#socket);
    if (received.ok && received.value !== undefined) return received.value;
    closeSync(this.#socket);
    this.#socket = undefined;
    return undefined;
  }

  /** Connects and hears the greeting, which says nothing new to a daemon that serves. */
  async #reconnect(): Promise<boolean> {
    const greeting = await this.#next();
    if (greeting === undefined) return false;
    for (const fd of greeting.descriptors) closeSync(fd);
    const text = greeting.bytes.toString('utf8');
    if (text.startsWith(messages.refused)) this.#refused(text);
    return true;
  }

  #refused(text: string): void {
    this.#isRefused = true;
    this.#options.emit('keeper-refused', { reason: text.replace(messages.refused, '') });
    if (this.#socket !== undefined) closeSync(this.#socket);
    this.#socket = undefined;
  }
}

/** The connection in a message, whose first descriptor means nothing. */
function takenFrom({ bytes, descriptors: [placeholder, fd] }: DescriptorMessage): TakenConnection | undefined {
  if (placeholder !== undefined) closeSync(placeholder);
  return fd === undefined ? undefined : { fd, setting: bytes.toString('utf8') };
}
