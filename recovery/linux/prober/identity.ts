import { readFileSync, readlinkSync } from 'node:fs';
import { parseCredentials } from '../process.ts';
import type { ProberCalls } from './libc.ts';
import { ReadFailure } from './libc.ts';
import type { ProbeRequest } from './protocol.ts';

type Reader = NonNullable<ProbeRequest['as']>;

const PR_SET_KEEPCAPS = 8;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** The way back to the own identity failed: nothing that is read from here on proves anything. */
export class IdentityLost extends Error {
  readonly code = 'IDENTITY_LOST';
}

/**
 * Reading as the consumer: its user and groups in all three ids, since FUSE without `allow_other` compares all of them,
 * and of the capabilities those that it has itself. A user namespace of its own cannot be entered by a process of several
 * threads, but user ids are the kernel's here, so they are the same; of its capabilities, which hold only there, none is taken.
 */
export class Identity {
  readonly #calls: ProberCalls;
  readonly #header = Buffer.alloc(8);
  readonly #own = Buffer.alloc(24);
  readonly #self: Omit<Reader, 'pid'>;

  constructor(calls: ProberCalls) {
    const at = { step: 'start', path: '' };
    const self = parseCredentials(readFileSync('/proc/thread-self/status', 'latin1'));
    if (self === undefined) throw new IdentityLost('own credentials are not shown');
    this.#self = self;
    this.#calls = calls;
    this.#header.writeUInt32LE(0x20080522, 0);
    calls.capget(this.#header, this.#own, at);
    // Permitted capabilities survive the change to another user, or there would be no way back.
    calls.prctl(PR_SET_KEEPCAPS, 1, at);
    this.dieWithParent();
  }

  /** Every change of credentials makes the kernel forget this. */
  dieWithParent(): void {
    this.#calls.prctl(PR_SET_PDEATHSIG, SIGKILL, { step: 'start', path: '' });
  }

  /** What has to be known before the consumer's namespaces are entered, where another /proc shows. */
  capabilitiesOf({ pid }: Reader): bigint {
    try {
      if (readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user')) return 0n;
      const shown = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      return shown === undefined ? 0n : BigInt(`0x${shown}`);
    } catch {
      throw new ReadFailure({ errno: 'ESRCH', call: 'open', path: `/proc/${pid}/status`, step: 'read-identity' });
    }
  }

  /** Runs as the consumer, and always comes back. */
  as<T>(reader: Reader, capabilities: bigint, run: () => T): T {
    const at = { step: 'take-identity', path: `uid ${reader.uid}` };
    const undo: (() => void)[] = [];
    try {
      if (!sameGroups(reader, this.#self)) {
        this.#calls.setGroups(reader.groups, at);
        undo.push(() => this.#calls.setGroups(this.#self.groups, at));
      }
      if (reader.gid !== this.#self.gid) {
        this.#calls.setGroup(reader.gid, at);
        undo.push(() => this.#calls.setGroup(this.#self.gid, at));
      }
      if (reader.uid !== this.#self.uid) {
        this.#calls.setUser(reader.uid, at);
        undo.push(() => this.#calls.setUser(this.#self.uid, at));
      }
      this.#setEffective(capabilities);
      this.dieWithParent();
      return run();
    } finally {
      this.#back(undo);
    }
  }

  #back(undo: readonly (() => void)[]): void {
    const restore = () => this.#calls.capset(this.#header, this.#own, { step: 'leave-identity', path: '' });
    try {
      restore();
      for (const change of undo.toReversed()) change();
      restore();
      this.dieWithParent();
    } catch (cause) {
      throw new IdentityLost('the way back to the own identity failed', { cause });
    }
  }

  #setEffective(capabilities: bigint): void {
    const data = Buffer.from(this.#own);
    // Effective, permitted, inheritable for capabilities 0 to 31, then the same for the rest.
    data.writeUInt32LE(Number(BigInt(data.readUInt32LE(4)) & capabilities & 0xffffffffn), 0);
    data.writeUInt32LE(Number(BigInt(data.readUInt32LE(16)) & (capabilities >> 32n) & 0xffffffffn), 12);
    this.#calls.capset(this.#header, data, { step: 'take-identity', path: 'capabilities' });
  }
}

/** Without root, a user namespace may forbid to set groups: where there is nothing to change nothing is asked for. */
function sameGroups(a: Pick<Reader, 'groups'>, b: Pick<Reader, 'groups'>): boolean {
  return a.groups.length === b.groups.length && a.groups.every((group) => b.groups.includes(group));
}
