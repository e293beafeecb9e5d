/**
 * Tells of every FUSE mount of every mount namespace that a process is in, as often as it can: one JSON object a line,
 * `mount` once for each mount and its options, `scanned` now and then with how often all was looked at. Reads tables only, so
 * that no dead mount can block it. Runs until it is killed.
 */
import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const pauseMs = 20;
const reportEveryMs = 250;
const known = new Set<string>();
const say = (line: object) => void writeSync(1, `${JSON.stringify(line)}\n`);

/** One process for each mount namespace. */
function namespaces(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      found.set(readlinkSync(`/proc/${pid}/ns/mnt`), pid);
    } catch {
      // It has ended.
    }
  }
  return found;
}

function scan(): void {
  for (const [namespace, pid] of namespaces()) {
    let table = '';
    try {
      table = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
    } catch {
      continue;
    }
    for (const line of table.split('\n')) {
      if (!/ - fuse(\.\S+)? /.test(line) || known.has(`${namespace} ${line}`)) continue;
      known.add(`${namespace} ${line}`);
      say({ event: 'mount', namespace, line });
    }
  }
}

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
let scans = 0;
for (let reported = 0; ; ) {
  scan();
  scans++;
  if (performance.now() - reported >= reportEveryMs) {
    reported = performance.now();
    say({ event: 'scanned', scans });
  }
  await delay(pauseMs);
}
