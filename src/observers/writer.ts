/**
 * Tries to change a directory without a pause, in every way: open(O_CREAT), open for writing with ftruncate, truncate, rename,
 * unlink, mkdir. One JSON object a line: `written` at once for each try that got through, `tried` now and then with what
 * came of all tries so far, by call and errno. A process of its own with synchronous calls only, because they can block.
 * Runs until it is killed. Arguments: the directory, a file in it that exists.
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
const made = `${directory}/made-by-the-writer`;
const reportEveryMs = 250;

const tries: Readonly<Record<string, () => void>> = {
  create: () => closeSync(openSync(made, constants.O_CREAT | constants.O_WRONLY, 0o644)),
  ftruncate: () => {
    const descriptor = openSync(file, constants.O_RDWR);
    try {
      ftruncateSync(descriptor, 1);
    } finally {
      closeSync(descriptor);
    }
  },
  truncate: () => truncateSync(file, 1),
  rename: () => renameSync(file, made),
  unlink: () => unlinkSync(file),
  mkdir: () => mkdirSync(`${made}-directory`),
};

const outcomes: Record<string, Record<string, number>> = {};
const say = (line: object) => void writeSync(1, `${JSON.stringify(line)}\n`);

function attempt(call: string, change: () => void): void {
  let outcome = 'written';
  try {
    change();
    say({ event: 'written', call });
  } catch (error) {
    outcome = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
  const ofCall = outcomes[call] ?? {};
  outcomes[call] = ofCall;
  ofCall[outcome] = (ofCall[outcome] ?? 0) + 1;
}

// What it tries to disturb must not wait for it.
setPriority(system.priority.PRIORITY_LOW);
for (let reported = 0; ; ) {
  for (const [call, change] of Object.entries(tries)) attempt(call, change);
  if (performance.now() - reported < reportEveryMs) continue;
  reported = performance.now();
  say({ event: 'tried', outcomes });
}
