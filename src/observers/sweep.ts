/**
 * Reads a file in each of many containers, from one process: `main.ts ORDERS PATH`. PATH is as the containers have it; they are
 * reached through `/proc/PID/root`, so that no process has to be in each of them.
 *
 * ORDERS is a file that whoever started it rewrites: `{"crash":1,"pids":{"NAME":PID}}`. A new crash begins anew; other
 * processes under the same crash are the containers that took the place of the old. Until anything fails, one container is read
 * each millisecond; from then on another one each millisecond; as soon as one reads again, all that do not, over and over, half
 * of the time. Three lines for each crash: `watching`, `failed` and `swept`, the last with the time of each first good read.
 * A read that hangs stops all of it: its reader has a deadline.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

interface Orders {
  readonly crash: number;
  readonly pids: Readonly<Record<string, number>>;
}

const everyMs = 1;
const [orders = '', path = '/data'] = process.argv.slice(2);
const buffer = Buffer.allocUnsafe(4096);
const say = (line: object) => void writeSync(1, `${JSON.stringify(line)}\n`);
const now = () => Number(process.hrtime.bigint());
Error.stackTraceLimit = 0;

/** The error's name, or undefined where the read was good. */
function failureOf(pid: number): string | undefined {
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

/** The orders where they have changed since they were read last: by their text, because two may follow within one tick of file times. */
function createReader(): () => Orders | undefined {
  let read = '';
  return () => {
    const text = readFileSync(orders, 'utf8');
    if (text === read) return undefined;
    read = text;
    return JSON.parse(text);
  };
}

const next = createReader();
let { crash, pids }: Orders = { crash: 0, pids: {} };
let pending: string[] = [];
let good: Record<string, number> = {};
let failed = false;
let turn = 0;
for (;;) {
  const given = next();
  if (given !== undefined) {
    pids = given.pids;
    if (given.crash !== crash) {
      crash = given.crash;
      pending = Object.keys(pids);
      good = {};
      failed = false;
      say({ event: 'watching', crash });
    } else pending = Object.keys(pids).filter((name) => good[name] === undefined);
  }
  const one = pending[failed ? turn++ % pending.length : 0];
  if (one === undefined) {
    await delay(everyMs);
    continue;
  }
  const failure = failureOf(pids[one] ?? 0);
  if (!failed) {
    if (failure !== undefined) {
      failed = true;
      say({ event: 'failed', crash, errno: failure, ns: now() });
    }
  } else if (failure === undefined) {
    good[one] = now();
    const began = performance.now();
    for (const name of pending)
      if (good[name] === undefined && failureOf(pids[name] ?? 0) === undefined) good[name] = now();
    pending = pending.filter((name) => good[name] === undefined);
    if (pending.length === 0) say({ event: 'swept', crash, good });
    else await delay(performance.now() - began);
    continue;
  }
  await delay(everyMs);
}
