#!/usr/bin/env node
import { lstatSync, mkdirSync } from 'node:fs';
import { release } from 'node:os';
import pino from 'pino';
import { monotonicClock } from '../clock.ts';
import { runCommand } from '../command-line.ts';
import { takeoverUnsupported } from '../linux/fuse-descriptor.ts';
import { createLog } from '../log.ts';
import { type KeeperFlags, parseKeeperFlags } from './flags.ts';
import { Keeper } from './keeper.ts';

await runCommand(parseKeeperFlags(process.argv.slice(2)), run);

function run({ directory, deadline }: KeeperFlags): void {
  const unsafe = prepareDirectory(directory);
  if (unsafe !== undefined) {
    process.stderr.write(`${unsafe}\n`);
    process.exitCode = 3;
    return;
  }
  const log = createLog(pino.destination({ dest: 1, sync: true }), monotonicClock.now);
  const keeper = new Keeper({
    directory,
    deadline,
    unsupported: takeoverUnsupported(release()),
    clock: monotonicClock,
    log,
  });
  // Keeps the process alive without volumes, as timers of the clock do not.
  setInterval(() => {}, 2 ** 30);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
  keeper.start();
  log.info('ready', { directory });
}

/** Creates the directory. Returns a sentence if it cannot be used. */
function prepareDirectory(directory: string): string | undefined {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const { uid, mode } = lstatSync(directory);
    if (uid === 0 && (mode & 0o022) === 0) return undefined;
    return `${directory} may be written by others than root: chown root ${directory} and chmod 755 ${directory}`;
  } catch (error) {
    return `${directory} cannot be used (${(error as NodeJS.ErrnoException).code})`;
  }
}
