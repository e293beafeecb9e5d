import { parentPort, workerData } from 'node:worker_threads';
import { createOperations, dueAfter, type Expected, operationOf } from './operations.ts';
import { openRing } from './ring.ts';
import { bePunctual, type EnterFailure, type EnterRequest, enterMountNamespace } from './target.ts';

export interface ReaderData {
  readonly memory: SharedArrayBuffer;
  readonly enter: EnterRequest;
  readonly expected: Expected;
  /** Operations a second. */
  readonly rate: number;
  /** Whether some of them list. */
  readonly lists: boolean;
}

/** The messages of the thread. Results go through the ring. */
export type ReaderMessage =
  | { readonly kind: 'cannot-enter'; readonly failure: EnterFailure }
  | { readonly kind: 'stopped' };

/** Time before a slot in which the thread spins, because waking up takes some microseconds. */
const spinNs = 60_000n;

function read({ memory, enter, expected, rate, lists }: ReaderData): ReaderMessage {
  const ring = openRing(memory);
  const perform = createOperations(expected);
  // There may be thousands of errors per second, and their stacks are not used.
  Error.stackTraceLimit = 0;
  bePunctual();
  const failure = enterMountNamespace(enter);
  if (failure !== undefined) return { kind: 'cannot-enter', failure };

  const start = process.hrtime.bigint();
  const due = (slot: number) => start + dueAfter(slot, rate);
  const sleepUntil = (time: bigint) => {
    const stop = ring.pause(Number(time - process.hrtime.bigint() - spinNs) / 1e6);
    while (!stop && process.hrtime.bigint() < time);
    return stop;
  };

  for (let slot = 0; !sleepUntil(due(slot)); ) {
    const op = operationOf(slot, { lists });
    const startedAt = process.hrtime.bigint();
    ring.begin(op, startedAt);
    const result = perform(op);
    const finishedAt = process.hrtime.bigint();
    ring.end();
    const finished = Number(finishedAt);
    ring.push({ at: Number(due(slot)), startedAt: Number(startedAt), finishedAt: finished, op, ...result });
    for (slot++; due(slot) <= finishedAt; slot++) {
      const at = Number(due(slot));
      ring.push({ at, startedAt: finished, finishedAt: finished, op: operationOf(slot, { lists }), ...result });
    }
  }
  return { kind: 'stopped' };
}

parentPort?.postMessage(read(workerData as ReaderData) satisfies ReaderMessage);
