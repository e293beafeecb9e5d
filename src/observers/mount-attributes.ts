/**
 * Scans the FUSE mounts of all mount namespaces continuously and prints JSON lines: `mount` once for each mount and each change of
 * its options, `scanned` from time to time with the number of scans. It reads mount tables only, so that no dead mount can block it.
 * Runs until it is killed.
 */
import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const pauseMs = 20;
const reportEveryMs = 250;
const known = new Set<string>();
const print = (line: object) => void writeSync(1, `${JSON.stringify(line)}\n`);

/** A process of each mount namespace. */
function findNamespaces(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      found.set(readlinkSync(`/proc/${pid}/ns/mnt`), pid);
    } catch {
      // The process has ended.
    }
  }
  return found;
}

function scan(): void {
  for (const [namespace, pid] of findNamespaces()) {
    let table = '';
    try {
      table = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
    } catch {
      continue;
    }
    for (const line of table.split('\n')) {
      if (!/ - fuse(\.\S+)? /.test(line) || known.has(`${namespace} ${line}`)) continue;
      known.add(`${namespace} ${line}`);
      print({ event: 'mount', namespace, line });
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
    print({ event: 'scanned', scans });
  }
  await delay(pauseMs);
}
