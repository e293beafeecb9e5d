/**
 * Reads a file in many containers from one process: `sweep.ts ORDERS PATH`. PATH is a path in the containers, which are
 * reached through `/proc/PID/root`.
 *
 * ORDERS is a file that the parent rewrites: `{"crash":1,"pids":{"NAME":PID}}`. A new crash number starts a new sweep; new
 * pids with the same number are the restarted containers. Until a read fails, the same container is read once a millisecond. After
 * that the containers are read in rotation, one a millisecond. After the first good read, all others are read over and over, half of the
 * time. Prints three lines per crash: `watching`, `failed` and `swept`, the last with the time of each first good read.
 * A read that hangs stops the sweep; the parent has a deadline.
 */

import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../recovery/clock.ts';

interface Orders {
  readonly crash: number;
  readonly pids: Readonly<Record<string, number>>;
}

const everyMs = 1;
const [orders = '', path = '/data'] = process.argv.slice(2);
const buffer = Buffer.allocUnsafe(4096);
const print = (line: object) => void writeSync(1, `${JSON.stringify(line)}\n`);
Error.stackTraceLimit = 0;

/** Reads the file; returns the name of the error, or undefined after a good read. */
function tryRead(pid: number): string | undefined {
  try {
    const file = openSync(`/proc/${pid}/root${path}`, 'r');
    try {
      return readSync(file, buffer) > 0 ? undefined : 'EEMPTY';
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN';
  }
}

/** Returns the orders if they have changed. Compares their text, because two changes may have the same file time. */
function createOrdersReader(): () => Orders | undefined {
  let read = '';
  return () => {
    const text = readFileSync(orders, 'utf8');
    if (text === read) return undefined;
    read = text;
    return JSON.parse(text);
  };
}

const readOrders = createOrdersReader();
let { crash, pids }: Orders = { crash: 0, pids: {} };
let pending: string[] = [];
let good: Record<string, number> = {};
let failed = false;
let turn = 0;
for (;;) {
  const changed = readOrders();
  if (changed !== undefined) {
    pids = changed.pids;
    if (changed.crash !== crash) {
      crash = changed.crash;
      pending = Object.keys(pids);
      good = {};
      failed = false;
      print({ event: 'watching', crash });
    } else pending = Object.keys(pids).filter((name) => good[name] === undefined);
  }
  const container = pending[failed ? turn++ % pending.length : 0];
  if (container === undefined) {
    await delay(everyMs);
    continue;
  }
  const failure = tryRead(pids[container] ?? 0);
  if (!failed) {
    if (failure !== undefined) {
      failed = true;
      print({ event: 'failed', crash, errno: failure, ns: monotonicNow() });
    }
  } else if (failure === undefined) {
    good[container] = monotonicNow();
    const startedAt = performance.now();
    for (const name of pending)
      if (good[name] === undefined && tryRead(pids[name] ?? 0) === undefined) good[name] = monotonicNow();
    pending = pending.filter((name) => good[name] === undefined);
    if (pending.length === 0) print({ event: 'swept', crash, good });
    else await delay(performance.now() - startedAt);
    continue;
  }
  await delay(everyMs);
}
