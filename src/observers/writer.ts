/**
 * Tries continuously to change a directory: open(O_CREAT), open for writing with ftruncate, truncate, rename, unlink, mkdir. Prints
 * JSON lines: `written` for each attempt that succeeded, `tried` from time to time with the results of all attempts so far, by
 * call and errno. It is a separate process because its calls can block. Runs until it is killed. Arguments: the directory, an
 * existing file in it.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { setPriority, constants as system } from 'node:os';

const [directory = '', existing = ''] = process.argv.slice(2);
const file = `${directory}/${existing}`;
const created = `${directory}/made-by-the-writer`;
const reportEveryMs = 250;

const tries: Readonly<Record<string, () => void>> = {
  create: () => closeSync(openSync(created, constants.O_CREAT | constants.O_WRONLY, 0o644)),
  ftruncate: () => {
    const descriptor = openSync(file, constants.O_RDWR);
    try {
      ftruncateSync(descriptor, 1);
    } finally {
      closeSync(descriptor);
    }
  },
  truncate: () => truncateSync(file, 1),
  rename: () => renameSync(file, created),
  unlink: () => unlinkSync(file),
  mkdir: () => mkdirSync(`${created}-directory`),
};

const outcomes: Record<string, Record<string, number>> = {};
const print = (line: object) => void writeSync(1, `${JSON.stringify(line)}\n`);

function attempt(call: string, change: () => void): void {
  let outcome = 'written';
  try {
    change();
    print({ event: 'written', call });
  } catch (error) {
    outcome = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
  outcomes[call] ??= {};
  outcomes[call][outcome] = (outcomes[call][outcome] ?? 0) + 1;
}

// The programs that it tries to disturb must not wait for it.
setPriority(system.priority.PRIORITY_LOW);
for (let reported = 0; ; ) {
  for (const [call, change] of Object.entries(tries)) attempt(call, change);
  if (performance.now() - reported < reportEveryMs) continue;
  reported = performance.now();
  print({ event: 'tried', outcomes });
}
