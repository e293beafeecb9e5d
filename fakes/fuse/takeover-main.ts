/**
 * Measures takeovers: `node fakes/fuse/takeover-main.ts [KILLS] [cold|waiting]`, as root. Kills the daemon under a thousand reads a second
 * and prints how many reads failed, and for each kill how long the longest read took: the one that was in flight or followed at most a
 * millisecond later. `cold`: the next daemon is started when the killed one has ended, as by a kubelet without back-off. `waiting`: it
 * runs and waits before the kill.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCounts } from '../../recovery/command-line.ts';
import { socketName } from '../../recovery/keeper/protocol.ts';
import { startStore } from '../store/start-store.ts';
import { daemonProgram } from './bundle.ts';
import { DaemonStage, type StagedDaemon } from './stage.ts';
import { StagedKeeper } from './staged-keeper.ts';

/** Opens, reads and closes a file a thousand times a second. Slots that pass during a read are left out, or a busy machine never catches up. */
const reader = `
  const fs = require('fs');
  const [opened, stop, out] = process.argv.slice(1);
  const buffer = Buffer.alloc(64), sleeper = new Int32Array(new SharedArrayBuffer(4));
  const reads = [], failures = [];
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  const begin = now();
  fs.writeFileSync(opened, '');
  for (let n = 0; reads.length % 100 || !fs.existsSync(stop); n++) {
    const early = begin + n - now();
    if (early > 0) Atomics.wait(sleeper, 0, 0, early);
    else n = Math.floor(now() - begin);
    const since = now();
    try {
      const fd = fs.openSync('myfile', 'r');
      const text = buffer.toString('latin1', 0, fs.readSync(fd, buffer, 0, 64, 0));
      fs.closeSync(fd);
      if (text !== 'hello') failures.push('wrong');
    } catch (error) { failures.push(error.code); }
    reads.push([since, now() - since]);
  }
  fs.writeFileSync(out, JSON.stringify({ reads, failures }));
`;

interface Reads {
  /** When each read began, and how long it took, in milliseconds. */
  readonly reads: readonly (readonly [since: number, took: number])[];
  readonly failures: readonly string[];
}

/** Between a takeover and the next kill. */
const pauseMs = 100;

const modes = ['cold', 'waiting'];
const [mode = 'cold'] = process.argv.slice(3);
const [kills = 0] = readCounts(
  'node fakes/fuse/takeover-main.ts [KILLS, by default 200] [cold|waiting]',
  [200],
  process.argv.slice(2).filter((word, index) => index !== 1 || !modes.includes(word)),
);
const { at, measured } = await measure(kills, mode === 'waiting');
const stalls = at.map((kill, index) => {
  const next = at[index + 1] ?? Number.POSITIVE_INFINITY;
  return Math.max(
    ...measured.reads.filter(([since, took]) => since + took > kill && since < next).map(([, took]) => took),
  );
});
const sorted = stalls.toSorted((a, b) => a - b);
const quantile = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(1);
process.stdout.write(
  `${kills} kills, ${mode}: ${measured.failures.length} of ${measured.reads.length} reads failed; longest read after each kill: ` +
    `median ${quantile(0.5)} ms, p90 ${quantile(0.9)} ms, p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms\n`,
);
process.exitCode = measured.failures.length === 0 ? 0 : 1;

async function measure(kills: number, isWaiting: boolean) {
  const signal = new AbortController().signal;
  await using store = await startStore({ runId: `takeover-${process.pid}`, bucket: 'bucket', signal, environment: {} });
  await store.putObject('dir/myfile', Buffer.from('hello'));
  await using stage = await DaemonStage.open({ store, program: await daemonProgram() });
  const directory = join(stage.directory, 'keeper');
  await mkdir(join(directory, 'demo'), { recursive: true });
  const keeper = new StagedKeeper(directory, '20s');
  await keeper.line('listening');
  const start = (): StagedDaemon => stage.start({}, [`--keeper=${join(directory, 'demo', socketName)}`]);
  let daemon = start();
  await daemon.line('ready');
  await keeper.line('kept');
  const [opened = '', stop = '', out = ''] = ['opened', 'stop', 'out'].map((name) => join(stage.directory, name));
  const finished = stage.inside(`cd "$M" && exec "$NODE" -e "${reader}" ${opened} ${stop} ${out}`, 3_600_000);
  while (!existsSync(opened)) await delay(5);
  const at: number[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    const successor = isWaiting ? start() : undefined;
    await successor?.line('waiting');
    await delay(pauseMs);
    at.push(Number(process.hrtime.bigint()) / 1e6);
    await daemon.kill('SIGKILL');
    daemon = successor ?? start();
    await keeper.line('served', kill);
  }
  await delay(pauseMs);
  await writeFile(stop, '');
  await finished;
  const measured: Reads = JSON.parse(await readFile(out, 'utf8'));
  await keeper.kill();
  return { at, measured };
}
