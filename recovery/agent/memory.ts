/**
 * Prints the memory of an agent and its children: `node recovery/agent/memory.ts [PID]`; with `hung [COUNT]` that of the processes
 * that wait for COUNT connections whose daemons do not answer, 100 by default.
 *
 * Without a process id it bundles the agent into a temporary directory, starts it idle in a private mount namespace, as root,
 * with an empty API server, and measures it once its memory has settled.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Nanoseconds } from '../engine/model.ts';
import { Stage } from '../linux/fixtures/stage.ts';
import { proberArgv } from '../linux/prober/client.ts';
import { startLanes } from '../linux/prober/lanes.ts';
import { processTree } from '../linux/processes.ts';
import { bundle } from './bundle.ts';
import { serveNothing } from './testing/serve-nothing.ts';
import { v8Flags } from './v8-flags.ts';

/** A process's memory in kibibytes, as `man 5 proc_pid_status` counts it; `pss` shares what several processes map. */
interface Memory {
  readonly pid: number;
  readonly command: string;
  readonly anonymous: number;
  readonly resident: number;
  readonly pss: number;
}

/** Long enough for the first garbage collections, which return the memory of the start. */
const settleMs = 8_000;

function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const kibibytes = (text: string, key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return {
    pid,
    command:
      readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        .split('\0')
        .findLast((word) => /\.m?[jt]s$/.test(word)) ?? '',
    anonymous: kibibytes(status, 'RssAnon'),
    resident: kibibytes(status, 'VmRSS'),
    pss: kibibytes(rollup, 'Pss'),
  };
}

/** Resident kibibytes of several processes. */
const residentOf = (rows: readonly Memory[]) => rows.reduce((total, { resident }) => total + resident, 0);

function print(rows: readonly Memory[]): void {
  const megabytes = (count: number) => `${(count / 1024).toFixed(1)} MB`.padStart(10);
  const line = (name: string, { anonymous, resident, pss }: Omit<Memory, 'pid' | 'command'>) =>
    process.stdout.write(`${megabytes(anonymous)}${megabytes(resident)}${megabytes(pss)}  ${name}\n`);
  process.stdout.write(' anonymous  resident       pss\n');
  for (const row of rows) line(`${row.pid} ${row.command}`, row);
  const sum = (key: 'anonymous' | 'resident' | 'pss') => rows.reduce((total, row) => total + row[key], 0);
  line('together', { anonymous: sum('anonymous'), resident: sum('resident'), pss: sum('pss') });
}

async function measureIdle(): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'rekindle-memory-'));
  parts.defer(() => rmSync(directory, { recursive: true }));
  await bundle(directory);
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(directory, 'node_modules'));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, await serveNothing(parts));
  const agent = spawn(
    'unshare',
    [
      ...['-m', '--propagation', 'private', process.execPath, ...v8Flags, join(directory, 'agent.mjs')],
      ...['--nodeid=idle', `--endpoint=unix://${directory}/csi.sock`, `--kubeconfig=${kubeconfig}`],
      ...['--metrics-addr=127.0.0.1:0', '--feature-gates=FuseRecovery=true'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  parts.defer(async () => {
    agent.kill('SIGTERM');
    await ended;
  });
  const ready = new Promise<void>((resolve) => agent.stdout.on('data', (text) => /"ready"/.test(text) && resolve()));
  await Promise.race([ready, ended]);
  await sleep(settleMs);
  if (agent.pid !== undefined && agent.exitCode === null) print(processTree(agent.pid).map(memoryOf));
}

/** Asks connections that never answer, in a private mount namespace, and measures the bundled processes that wait for them. */
async function measureHung(count: number, root: string): Promise<void> {
  await using parts = new AsyncDisposableStack();
  await bundle(join(root, 'bundle'));
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(root, 'bundle/node_modules'));
  await using stage = new Stage(mkdtempSync(join(root, 'mounts-')));
  const now = () => process.hrtime.bigint() as Nanoseconds;
  const lanes = parts.use(
    startLanes({ command: proberArgv(join(root, 'bundle/prober.mjs')), nodeMountNamespace: undefined, now }),
  );
  const hung = Array.from({ length: count }, (_, index) => stage.dead(`hung-${index}`, true));
  const statuses = new Set<string>();
  do {
    statuses.clear();
    const asking = hung.map((path) =>
      lanes.ask({ site: { kind: 'source', path }, device: stage.top(path).device, deadline: stage.in(2_000) }),
    );
    for (const { status } of await Promise.all(asking)) statuses.add(status);
  } while (statuses.has('unknown'));
  const children = processTree(process.pid).filter((pid) => stage.commandOf(pid).includes('prober.mjs'));
  process.stdout.write(`${count} connections are ${[...statuses].join(' or ')}\n`);
  const rows = children.map(memoryOf);
  print(rows);
  stage.letDie();
  if (count <= 100 && residentOf(rows) > mostForHundred) process.exitCode = 1;
}

/** The most that the processes which wait for 100 hung connections may take together, in kibibytes. */
const mostForHundred = 64 * 1024;

/** Prints what hung connections cost; rejects if 100 cost more than 64 MB. */
export async function measureHungConnections(count: number): Promise<void> {
  const status = await inPrivateNamespace(['hung', String(count)]);
  if (status !== 0) throw new Error(`${count} hung connections cost too much, or could not be measured`);
}

function inPrivateNamespace(args: readonly string[]): Promise<unknown> {
  const root = mkdtempSync(join(tmpdir(), 'rekindle-memory-'));
  const inner = [process.execPath, fileURLToPath(import.meta.url), ...args, root];
  const child = spawn('unshare', ['-m', '--propagation', 'private', ...inner], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', resolve)).finally(() => rmSync(root, { recursive: true }));
}

if (import.meta.main) {
  const pid = Number(process.argv[2]);
  const [mode, count = '100', root] = process.argv.slice(2);
  if (mode === 'hung' && root === undefined) await measureHungConnections(Number(count));
  else if (mode === 'hung') await measureHung(Number(count), String(root));
  else if (pid > 0) print(processTree(pid).map(memoryOf));
  else await measureIdle();
}
