/**
 * Measures the turns of an agent's event loop: `node recovery/agent/turns.ts COMMAND...`, or `--judge DIRECTORY [PERCENT]` for what earlier commands
 * recorded with `REKINDLE_TURNS=DIRECTORY`, a directory below the checkout, because an agent has its own /tmp. PERCENT: the time that this
 * machine takes for what takes 100 on the one for which the limit of CPU was set.
 *
 * A sandbox loads this module into every agent that it starts. Prints how much CPU the turns of all agents used, and how long they waited in
 * system calls other than for events. Ends with status 1 if a turn is too long (`isTooLong`), which must not happen without a CPU limit.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { type LongCall, timeCalls } from './call-clock.ts';

// Node's own functions, as this module's calls are not the agent's.
const { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } = fs;

/** Milliseconds. */
const limit = 20;
/** How many of the longest turns of an agent are kept. */
const kept = 10;

/** One turn in milliseconds. */
export interface Turn {
  /** Its end since the process started. */
  readonly at: number;
  readonly cpu: number;
  /** Neither running nor ready to run, without the wait for events. */
  readonly waited: number;
  /** In which some process of the machine was ready to run and had no processor; undefined if the kernel does not count it. */
  readonly pressed: number | undefined;
  /** In which a hypervisor may not have run the machine's processors. */
  readonly stolen: number;
  /** How often the process waited for a page of its program to be read from the disk. */
  readonly faults: number;
  /** Its longest call; missing if none took 2 ms. */
  readonly longest?: LongCall;
}

interface TurnsOfAgent {
  readonly turns: number;
  /** Those with most CPU and the longest waits. */
  readonly longest: readonly Turn[];
}

/**
 * Whether a turn breaks the rule for a reason of the agent's own. On a busy machine the same work takes up to twice the CPU, as threads
 * share cores and caches, and a wait may be for a process that waits for a processor itself: that proves nothing.
 */
export const isTooLong = (turn: Turn): boolean => usesTooMuch(turn) || waitsTooLong(turn);

const isBusy = ({ pressed = Infinity }: Turn, duration: number) => pressed > duration / 10;
const usesTooMuch = (turn: Turn): boolean => turn.cpu >= (isBusy(turn, turn.cpu) ? 2 * limit : limit);
/** In one call: what passes outside of calls are locks of V8 and libuv, page faults, and errors in the time that libuv counts as idle. */
const waitsTooLong = (turn: Turn): boolean =>
  Math.min(turn.waited, turn.longest?.took ?? 0) - turn.stolen >= limit && !isBusy(turn, turn.waited);

/** From this duration in milliseconds a call is named. */
const named = 2;
/** Milliseconds after which it is read again what a hypervisor has taken. */
const stealPeriod = 1000;
/** The kernel counts in units of 10 ms. */
const tick = 10;

type Clocks = ReturnType<ReturnType<typeof openClocks>['read']>;

/** Reads what is counted for this thread and for the machine, in milliseconds. */
function openClocks() {
  const text = Buffer.alloc(4096);
  const open = (path: string) => {
    const fd = openSync(path, 'r');
    return () => text.toString('latin1', 0, readSync(fd, text, 0, text.length, 0));
  };
  const schedstat = open('/proc/thread-self/schedstat');
  const status = open('/proc/thread-self/status');
  const pressure = openIfAny(open, '/proc/pressure/cpu');
  const stat = open('/proc/stat');
  const pressed = () => pressure && Number(/^some .*total=(\d+)/m.exec(pressure())?.[1]) / 1e3;
  const read = () => {
    const { user, system } = process.threadCpuUsage();
    return {
      wall: performance.now(),
      cpu: (user + system) / 1e3,
      /** In which the thread could have run, and had no processor. */
      delayed: Number(schedstat().split(' ')[1]) / 1e6,
      /** How often the thread waited. A thread that did not may yet stand still, if a hypervisor does not run its processor. */
      waits: Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status())?.[1]),
      pressed: pressed(),
      idle: performance.eventLoopUtilization().idle,
      faults: process.resourceUsage().majorPageFault,
    };
  };
  const stolen = () => Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(stat())?.[1]) * tick;
  return { read, pressed, stolen };
}

function openIfAny<T>(open: (path: string) => T, path: string): T | undefined {
  try {
    return open(path);
  } catch {
    return undefined;
  }
}

function turnBetween(before: Clocks, now: Clocks) {
  const cpu = now.cpu - before.cpu;
  const passed = now.wall - before.wall - (now.idle - before.idle) - (now.delayed - before.delayed);
  return {
    at: now.wall,
    cpu,
    waited: now.waits === before.waits ? 0 : Math.max(passed - cpu, 0),
    faults: now.faults - before.faults,
  };
}

/** Records the turns of this process. An immediate that does not keep the loop awake runs once a turn, after the callbacks for events. */
function record(file: string): void {
  const clocks = openClocks();
  /** What the machine had counted at the first call of the turn: before it the thread may have been idle for long. */
  let pressedAtFirst: number | undefined;
  let longestCall: LongCall | undefined;
  timeCalls({
    from: named,
    onCall: () => {
      pressedAtFirst ??= clocks.pressed();
    },
    onLong: (call) => {
      if (call.took > (longestCall?.took ?? 0)) longestCall = call;
    },
  });
  let longest: readonly Turn[] = [];
  let turns = 0;
  let writtenAt = 0;
  let steal = { at: performance.now(), count: clocks.stolen() };
  /** Read anew if it may explain a wait; whatever was taken since it was last read is an upper bound. */
  const stolen = (at: number, waited: number): number => {
    if (waited < limit && at - steal.at < stealPeriod) return 0;
    const before = steal.count;
    steal = { at, count: clocks.stolen() };
    return steal.count === before ? 0 : steal.count - before + tick;
  };
  // The first turn has begun: it evaluates the agent's first module.
  let before = clocks.read();
  const onTurn = () => {
    const now = clocks.read();
    const measured = turnBetween(before, now);
    // A wait in no call may have come before the first one.
    const isNamed = (longestCall?.took ?? 0) >= limit;
    const since = (isNamed ? pressedAtFirst : before.pressed) ?? 0;
    const turn: Turn = {
      ...measured,
      pressed: now.pressed === undefined ? undefined : now.pressed - since,
      stolen: stolen(measured.at, measured.waited),
      ...(longestCall === undefined ? {} : { longest: longestCall }),
    };
    turns++;
    longest = [...new Set([...sorted([...longest, turn], 'cpu'), ...sorted([...longest, turn], 'waited')])];
    // Often, as agents are killed, even while they write.
    if (turn.at - writtenAt > 100) {
      writeFileSync(`${file}.part`, JSON.stringify({ turns, longest } satisfies TurnsOfAgent));
      renameSync(`${file}.part`, file);
      writtenAt = turn.at;
    }
    pressedAtFirst = undefined;
    longestCall = undefined;
    before = clocks.read();
    setImmediate(onTurn).unref();
  };
  setImmediate(onTurn).unref();
}

/** The longest turns, those that break the rule first. */
function sorted(turns: readonly Turn[], key: 'cpu' | 'waited'): readonly Turn[] {
  const rank = (turn: Turn) => (isTooLong(turn) ? Number.MAX_SAFE_INTEGER : 0) + turn[key];
  return turns.toSorted((a, b) => rank(b) - rank(a)).slice(0, kept);
}

/** Prints what the agents recorded, with CPU as it would be on the usual machine. Returns whether all of them kept the rule. */
function judge(directory: string, percent = 100): boolean {
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  const agents = names.map((name): TurnsOfAgent => JSON.parse(readFileSync(join(directory, name), 'utf8')));
  const total = agents.reduce((sum, { turns }) => sum + turns, 0);
  const all = agents.flatMap(({ longest }) => longest.map((turn) => ({ ...turn, cpu: (turn.cpu * 100) / percent })));
  const tooLong = all.filter(isTooLong);
  process.stdout.write(`${agents.length} agents, ${total} turns, ${tooLong.length} of them too long\n`);
  if (percent !== 100)
    process.stdout.write(`this machine takes ${percent} % of the usual time: CPU is divided by that\n`);
  for (const key of ['cpu', 'waited'] as const) {
    const shown = sorted(all, key).map((turn) => `  ${turn[key].toFixed(1)} ${describeTurn(turn)}\n`);
    process.stdout.write(`longest, ${key === 'cpu' ? 'own CPU' : 'waiting'}, in ms:\n${shown.join('')}`);
  }
  return agents.length > 0 && tooLong.length === 0;
}

function describeTurn(turn: Turn): string {
  const { at, pressed, stolen, faults, longest } = turn;
  const parts = [
    `at ${(at / 1e3).toFixed(1)} s`,
    ...(longest === undefined ? [] : [`${longest.call} took ${longest.took.toFixed(1)}`]),
    ...(pressed === undefined ? [] : [`machine busy for ${pressed.toFixed(1)}`]),
    ...(stolen === 0 ? [] : [`up to ${stolen} taken by the hypervisor`]),
    ...(faults === 0 ? [] : [`${faults} pages read`]),
  ];
  return `${parts.join(', ')}${isTooLong(turn) ? ': too long' : ''}`;
}

async function main([program, ...args]: readonly string[]): Promise<number> {
  const [directory, percent = '100'] = args;
  if (program === '--judge' && directory !== undefined && Number(percent) >= 100)
    return judge(directory, Number(percent)) ? 0 : 1;
  if (program === undefined || program === '--judge') {
    process.stderr.write(
      'which command? node recovery/agent/turns.ts COMMAND..., or --judge DIRECTORY [PERCENT, from 100]\n',
    );
    return 2;
  }
  const parent = fileURLToPath(new URL('../../dist', import.meta.url));
  mkdirSync(parent, { recursive: true });
  const recorded = mkdtempSync(join(parent, 'turns-'));
  try {
    const env = { ...process.env, REKINDLE_TURNS: recorded };
    const child = spawn(program, args, { stdio: 'inherit', env });
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
    return judge(recorded) ? status : 1;
  } finally {
    rmSync(recorded, { recursive: true });
  }
}

const { REKINDLE_TURNS } = process.env;
if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
else if (REKINDLE_TURNS !== undefined) record(join(REKINDLE_TURNS, `${randomUUID()}.json`));
