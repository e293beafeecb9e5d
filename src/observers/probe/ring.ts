import { constants } from 'node:os';
import type { ProbeOperation } from '../../timeline/record.ts';

/** One finished operation; times are absolute CLOCK_MONOTONIC nanoseconds (exact to 2 ns once a machine is up for 104 days). */
export interface FinishedOperation {
  readonly at: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly op: ProbeOperation;
  readonly result: string;
  readonly call?: string;
}

export interface OperationInFlight {
  readonly op: ProbeOperation;
  readonly since: number;
}

/**
 * The memory that the reading thread (the writer of the ring) and the reporting thread (its reader) share: finished operations, the
 * operation in flight, and a stop flag. A thread that hangs in a system call could not answer messages.
 */
export interface Ring {
  /** Writer: records that an operation starts. */
  begin(op: ProbeOperation, since: bigint): void;
  /** Writer: records that the operation in flight has ended. */
  end(): void;
  /** Writer: adds a record. Waits while the ring is full, so that no record is lost. */
  push(record: FinishedOperation): void;
  /** Writer: sleeps up to `ms`, which may be a fraction; returns true as soon as the writer must stop. */
  pause(ms: number): boolean;
  /** Reader: removes and returns all records. */
  drain(): FinishedOperation[];
  /** Reader: returns the operation that has not ended yet. */
  inFlight(): OperationInFlight | undefined;
  /** Reader: asks the writer to stop. */
  stop(): void;
}

/** A power of two, because the counters overflow. */
const capacity = 16_384;
const fields = 6;
const controlBytes = 32;

const head = 0;
const tail = 1;
const stopping = 2;
/** Index into a BigInt64Array, after the four 32-bit words. */
const flight = 2;

const operations: readonly ProbeOperation[] = ['list', 'stat', 'read'];

export const createRingMemory = () => new SharedArrayBuffer(controlBytes + capacity * fields * 8);

/** The results and calls that a record can have, by code. Any other string is recorded as `EUNKNOWN`. */
const words: readonly string[] = [
  'EUNKNOWN',
  'ok',
  'EBADSUM',
  'EEMPTY',
  ...Object.keys(constants.errno),
  'open',
  'read',
  'fstat',
  'close',
  'stat',
  'lstat',
  'scandir',
];
const codes = new Map(words.map((word, code) => [word, code]));
const word = (code: number | undefined) => words[code ?? 0] ?? '';

export function openRing(memory: SharedArrayBuffer): Ring {
  const control = new Int32Array(memory, 0, 4);
  const current = new BigInt64Array(memory, 0, controlBytes / 8);
  const records = new Float64Array(memory, controlBytes);
  const waiting = () => (Atomics.load(control, head) - Atomics.load(control, tail)) | 0;

  return {
    begin(op, since) {
      Atomics.store(current, flight, since * 4n + BigInt(operations.indexOf(op) + 1));
    },
    end() {
      Atomics.store(current, flight, 0n);
    },
    push(record) {
      while (waiting() >= capacity) Atomics.wait(control, tail, Atomics.load(control, tail), 100);
      const position = Atomics.load(control, head);
      const offset = ((position >>> 0) % capacity) * fields;
      records[offset] = record.at;
      records[offset + 1] = record.startedAt;
      records[offset + 2] = record.finishedAt;
      records[offset + 3] = operations.indexOf(record.op);
      records[offset + 4] = codes.get(record.result) ?? 0;
      records[offset + 5] = record.call === undefined ? -1 : (codes.get(record.call) ?? 0);
      Atomics.store(control, head, (position + 1) | 0);
    },
    pause(ms) {
      if (ms > 0) Atomics.wait(control, stopping, 0, ms);
      return Atomics.load(control, stopping) !== 0;
    },
    drain() {
      const drained: FinishedOperation[] = [];
      const first = Atomics.load(control, tail);
      const count = waiting();
      for (let n = 0; n < count; n++) {
        const offset = (((first + n) >>> 0) % capacity) * fields;
        const call = records[offset + 5] ?? -1;
        drained.push({
          at: records[offset] ?? 0,
          startedAt: records[offset + 1] ?? 0,
          finishedAt: records[offset + 2] ?? 0,
          op: operations[records[offset + 3] ?? 0] ?? 'read',
          result: word(records[offset + 4]),
          ...(call < 0 ? {} : { call: word(call) }),
        });
      }
      Atomics.store(control, tail, (first + count) | 0);
      Atomics.notify(control, tail);
      return drained;
    },
    inFlight() {
      const value = Atomics.load(current, flight);
      const op = operations[Number(value & 3n) - 1];
      return op === undefined ? undefined : { op, since: Number(value >> 2n) };
    },
    stop() {
      Atomics.store(control, stopping, 1);
      Atomics.notify(control, stopping);
    },
  };
}
