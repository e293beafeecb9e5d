import { parentPort, workerData } from 'node:worker_threads';
import type { EnterFailure, EnterRequest } from './namespace.ts';
import { enterMountNamespace, keepTime } from './namespace.ts';
import type { Expected } from './operations.ts';
import { createOperations } from './operations.ts';
import { openRing } from './ring.ts';
import { dueAfter, operationOf } from './schedule.ts';
import { words } from './words.ts';

export interface ReaderData {
  readonly memory: SharedArrayBuffer;
  readonly enter: EnterRequest;
  readonly expected: Expected;
  /** Operations a second. */
  readonly rate: number;
}

/** What the thread says: that it could not enter, or that it has stopped. All else goes through the ring. */
export type ReaderMessage =
  | { readonly said: 'cannot-enter'; readonly failure: EnterFailure }
  | { readonly said: 'stopped' };

/** Waking up takes some microseconds: the last stretch before a slot is spun. */
const spinNs = 60_000n;

function read({ memory, enter, expected, rate }: ReaderData): ReaderMessage {
  const ring = openRing(memory, words);
  const perform = createOperations(expected);
  // Errors are results here, thousands a second: no stack is walked for them.
  Error.stackTraceLimit = 0;
  keepTime();
  const failure = enterMountNamespace(enter);
  if (failure !== undefined) return { said: 'cannot-enter', failure };

  const start = process.hrtime.bigint();
  const due = (slot: number) => start + dueAfter(slot, rate);
  const sleepUntil = (time: bigint) => {
    const stop = ring.pause(Number(time - process.hrtime.bigint() - spinNs) / 1e6);
    while (!stop && process.hrtime.bigint() < time);
    return stop;
  };

  for (let slot = 0; !sleepUntil(due(slot)); ) {
    const op = operationOf(slot);
    const startedAt = process.hrtime.bigint();
    ring.begin(op, startedAt);
    const outcome = perform(op);
    const finishedAt = process.hrtime.bigint();
    ring.end();
    const finished = Number(finishedAt);
    ring.push({ at: Number(due(slot)), startedAt: Number(startedAt), finishedAt: finished, op, ...outcome });
    for (slot++; due(slot) <= finishedAt; slot++) {
      const at = Number(due(slot));
      ring.push({ at, startedAt: finished, finishedAt: finished, op: operationOf(slot), ...outcome });
    }
  }
  return { said: 'stopped' };
}

parentPort?.postMessage(read(workerData as ReaderData) satisfies ReaderMessage);
