/**
 * Measures the turns of an agent's event loop: `node recovery/agent/turns.ts COMMAND...`
 *
 * Runs the command, loads this module into every agent that a sandbox of it starts, and prints how much CPU the turns of all agents used and how long they
 * waited in system calls other than for events. Ends with status 1 if one used or waited more than 20 ms, which must not happen without a
 * CPU limit.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { libc } from '../linux/libc.ts';

/** Milliseconds. */
const limit = 20;
/** How many of the longest turns of an agent are kept. */
const kept = 10;
const CLOCK_THREAD_CPUTIME_ID = 3;

/** One turn in milliseconds: the end since the process started, own CPU, and waiting in system calls. */
interface Turn {
  readonly at: number;
  readonly cpu: number;
  readonly waited: number;
}

interface TurnsOfAgent {
  readonly turns: number;
  /** Number of turns by whole milliseconds of CPU; the last has all that took longer. */
  readonly byCpu: readonly number[];
  readonly mostCpu: readonly Turn[];
  readonly longestWaits: readonly Turn[];
}

/** What the clocks of this thread show, in milliseconds. */
function readClocks(schedstat: number) {
  const time = Buffer.alloc(16);
  libc.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
  const text = Buffer.alloc(64);
  const [, delayed = '0'] = text.toString('latin1', 0, readSync(schedstat, text, 0, 64, 0)).split(' ');
  return {
    wall: performance.now(),
    cpu: Number(time.readBigInt64LE(0)) * 1e3 + Number(time.readBigInt64LE(8)) / 1e6,
    /** Time in which the thread could have run, and had no processor. */
    delayed: Number(delayed) / 1e6,
    idle: performance.eventLoopUtilization().idle,
  };
}

/** Records the turns of this process. An immediate that does not keep the loop awake runs once a turn, after the callbacks for events. */
function record(file: string): void {
  const schedstat = openSync('/proc/thread-self/schedstat', 'r');
  const byCpu: number[] = Array(100).fill(0);
  let mostCpu: Turn[] = [];
  let longestWaits: Turn[] = [];
  let turns = 0;
  let writtenAt = 0;
  let before: ReturnType<typeof readClocks> | undefined;
  const onTurn = () => {
    const now = readClocks(schedstat);
    if (before !== undefined) {
      const cpu = now.cpu - before.cpu;
      const passed = now.wall - before.wall - (now.idle - before.idle) - (now.delayed - before.delayed);
      const turn = { at: now.wall, cpu, waited: Math.max(passed - cpu, 0) };
      turns++;
      const bucket = Math.min(Math.floor(cpu), byCpu.length - 1);
      byCpu[bucket] = (byCpu[bucket] ?? 0) + 1;
      mostCpu = [...mostCpu, turn].sort((a, b) => b.cpu - a.cpu).slice(0, kept);
      longestWaits = [...longestWaits, turn].sort((a, b) => b.waited - a.waited).slice(0, kept);
      // Often, as agents are killed.
      if (now.wall - writtenAt > 100) {
        writeFileSync(file, JSON.stringify({ turns, byCpu, mostCpu, longestWaits } satisfies TurnsOfAgent));
        writtenAt = now.wall;
      }
    }
    before = readClocks(schedstat);
    setImmediate(onTurn).unref();
  };
  setImmediate(onTurn).unref();
  process.once('exit', () => closeSync(schedstat));
}

function print(agents: readonly TurnsOfAgent[]): boolean {
  const total = agents.reduce((sum, { turns }) => sum + turns, 0);
  const above = agents.reduce((sum, { byCpu }) => sum + byCpu.slice(limit).reduce((a, b) => a + b, 0), 0);
  process.stdout.write(`${agents.length} agents, ${total} turns, ${above} of them with ${limit} ms of CPU or more\n`);
  const longest = {
    cpu: agents.flatMap(({ mostCpu }) => mostCpu),
    waited: agents.flatMap((each) => each.longestWaits),
  };
  for (const key of ['cpu', 'waited'] as const) {
    longest[key].sort((a, b) => b[key] - a[key]);
    const shown = longest[key]
      .slice(0, kept)
      .map((turn) => `${turn[key].toFixed(1)} (at ${(turn.at / 1e3).toFixed(1)} s)`);
    process.stdout.write(`longest, ${key === 'cpu' ? 'own CPU' : 'waiting'}, in ms: ${shown.join(', ')}\n`);
  }
  return (
    agents.length > 0 && [...longest.cpu, ...longest.waited].every(({ cpu, waited }) => cpu < limit && waited < limit)
  );
}

async function main([program, ...args]: readonly string[]): Promise<number> {
  if (program === undefined) {
    process.stderr.write('which command? node recovery/agent/turns.ts COMMAND...\n');
    return 2;
  }
  // Below the checkout, because an agent has a /tmp of its own.
  const parent = fileURLToPath(new URL('../../dist', import.meta.url));
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'turns-'));
  try {
    const env = { ...process.env, REKINDLE_TURNS: directory };
    const child = spawn(program, args, { stdio: 'inherit', env });
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
    const agents = readdirSync(directory).map(
      (name): TurnsOfAgent => JSON.parse(readFileSync(join(directory, name), 'utf8')),
    );
    return print(agents) ? status : 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
else record(join(process.env.REKINDLE_TURNS ?? '', `${randomUUID()}.json`));
