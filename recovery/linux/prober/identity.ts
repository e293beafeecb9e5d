import { readFileSync, readlinkSync } from 'node:fs';
import { parseCredentials } from '../processes.ts';
import { calls, ReadFailure } from './calls.ts';
import type { ProberRequest } from './protocol.ts';

type ReadingProcess = NonNullable<ProberRequest['as']>;

const PR_SET_KEEPCAPS = 8;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const CAP_DAC_OVERRIDE = 1n << 1n;
const CAP_DAC_READ_SEARCH = 1n << 2n;

interface ConsumerRights {
  readonly capabilities: bigint;
  /** Whether it is in a user namespace of its own, so that a tenant may have mounted FUSE on the way to its files. */
  readonly hasOwnUsers: boolean;
}

/** The prober could not restore its own identity, so later reads would prove nothing. */
export class IdentityLost extends Error {
  readonly code = 'IDENTITY_LOST';
}

/**
 * Takes the identity of a consumer: its user and group as real, effective and saved id, because FUSE without `allow_other` compares all
 * three, its groups, and its capabilities as far as the prober has them. A process with several threads cannot enter the consumer's user namespace;
 * ids are seen as the kernel has them, so they are right without that, and capabilities that hold only in that namespace are dropped.
 */
export class ProberIdentity {
  readonly #header = Buffer.alloc(8);
  readonly #own = Buffer.alloc(24);
  readonly #self: Omit<ReadingProcess, 'pid'>;

  constructor() {
    const at = { step: 'start', path: '' };
    const self = parseCredentials(readFileSync('/proc/thread-self/status', 'latin1'));
    if (self === undefined) throw new IdentityLost('/proc does not show the credentials of the prober');
    this.#self = self;
    this.#header.writeUInt32LE(0x20080522, 0);
    calls.capget(this.#header, this.#own, at);
    // Without this, changing the user would drop the permitted capabilities that are needed to change back.
    calls.prctl(PR_SET_KEEPCAPS, 1, at);
    this.dieWithParent();
  }

  /** Must be repeated after each change of credentials, because the kernel then resets it. */
  dieWithParent(): void {
    calls.prctl(PR_SET_PDEATHSIG, SIGKILL, { step: 'start', path: '' });
  }

  /** Takes a user for good, for all threads, and keeps the capabilities of the calling thread and those that it starts. */
  become(uid: number, gid: number): void {
    const { setgid, setuid } = process;
    setgid?.(gid);
    setuid?.(uid);
    calls.capset(this.#header, this.#own, { step: 'take-identity', path: `uid ${uid}` });
    this.dieWithParent();
  }

  /**
   * Reads /proc, so call it before entering the consumer's mount namespace. CAP_DAC_OVERRIDE, which root has in a container and the
   * agent has not, lets a process read what CAP_DAC_READ_SEARCH does.
   */
  rightsOf({ pid }: ReadingProcess): ConsumerRights {
    try {
      if (readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user'))
        return { capabilities: 0n, hasOwnUsers: true };
      const shown = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      const held = shown === undefined ? 0n : BigInt(`0x${shown}`);
      const capabilities = (held & CAP_DAC_OVERRIDE) === 0n ? held : held | CAP_DAC_READ_SEARCH;
      return { capabilities, hasOwnUsers: false };
    } catch {
      throw new ReadFailure({ errno: 'ESRCH', call: 'open', path: `/proc/${pid}/status`, step: 'read-identity' });
    }
  }

  /** Runs as the consumer, and always restores the own identity. */
  as<T>(consumer: ReadingProcess, capabilities: bigint, run: () => T): T {
    const at = { step: 'take-identity', path: `uid ${consumer.uid}` };
    const undo: (() => void)[] = [];
    try {
      if (!sameGroups(consumer, this.#self)) {
        calls.setGroups(consumer.groups, at);
        undo.push(() => calls.setGroups(this.#self.groups, at));
      }
      if (consumer.gid !== this.#self.gid) {
        calls.setGroup(consumer.gid, at);
        undo.push(() => calls.setGroup(this.#self.gid, at));
      }
      if (consumer.uid !== this.#self.uid) {
        calls.setUser(consumer.uid, at);
        undo.push(() => calls.setUser(this.#self.uid, at));
      }
      this.#setEffective(capabilities);
      this.dieWithParent();
      return run();
    } finally {
      this.#restore(undo);
    }
  }

  #restore(undo: readonly (() => void)[]): void {
    const restoreCapabilities = () => calls.capset(this.#header, this.#own, { step: 'leave-identity', path: '' });
    try {
      restoreCapabilities();
      for (const change of undo.toReversed()) change();
      restoreCapabilities();
      this.dieWithParent();
    } catch (cause) {
      throw new IdentityLost('cannot restore the own identity', { cause });
    }
  }

  #setEffective(capabilities: bigint): void {
    const data = Buffer.from(this.#own);
    // Effective, permitted and inheritable words for capabilities 0 to 31, then the same three for the others.
    data.writeUInt32LE(Number(BigInt(data.readUInt32LE(4)) & capabilities & 0xffffffffn), 0);
    data.writeUInt32LE(Number(BigInt(data.readUInt32LE(16)) & (capabilities >> 32n) & 0xffffffffn), 12);
    calls.capset(this.#header, data, { step: 'take-identity', path: 'capabilities' });
  }
}

/** A user namespace may forbid setgroups, so it is called only if the groups differ. */
function sameGroups(a: Pick<ReadingProcess, 'groups'>, b: Pick<ReadingProcess, 'groups'>): boolean {
  return a.groups.length === b.groups.length && a.groups.every((group) => b.groups.includes(group));
}
