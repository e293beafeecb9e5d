/**
 * The prober reads where its parent must not, because a mount may hang. It enters the requested namespace, takes the consumer's
 * identity, reads, returns, and responds. It blocks in whatever call blocks; the parent then abandons it.
 *
 * stdin has `ProberRequest`s and stdout `ProberResponse`s, one JSON object per line. The process ends with its input or with its
 * parent. With the argument `wait`, and a user and group if it must not be root, it waits for daemons (`serveWaits`); with `look-up` it
 * opens what only a disk can answer (`answerLookUp`).
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { CLONE_FS, CLONE_NEWNS, O_PATH } from '../syscalls.ts';
import { calls, ReadFailure } from './calls.ts';
import { ProberIdentity } from './identity.ts';
import { answerLookUp } from './look-up.ts';
import { type ProberRequest, type ProberResponse, ready } from './protocol.ts';
import { proveMount } from './read.ts';
import { type EnterNamespace, serveWaits } from './wait.ts';

function main(): void {
  const parent = process.ppid;
  const [mode, uid, gid] = process.argv.slice(2);
  const identity = new ProberIdentity();
  // The parent may have died before the kernel was asked to send a signal at its death.
  if (calls.getppid() !== parent) return;
  if (uid !== undefined) identity.become(Number(uid), Number(gid));
  const enter = openNamespaces();
  if (mode === 'wait') serveWaits(parent, enter);
  else if (mode === 'look-up') serveLookUps();
  else serveReads(identity, enter);
}

const noRights = { capabilities: 0n, hasOwnUsers: false };

function serveReads(identity: ProberIdentity, enter: EnterNamespace): void {
  const proc = calls.open('/proc', O_PATH, { step: 'start', path: '/proc' });
  const serve = ({ id, as, namespace, path, device }: ProberRequest): ProberResponse => {
    try {
      const { capabilities, hasOwnUsers } = as === undefined ? noRights : identity.rightsOf(as);
      const prove = () => proveMount({ path, device, proc, mayWait: !hasOwnUsers });
      const read = () => (as === undefined ? prove() : identity.as(as, capabilities, prove));
      return { id, answer: enter(namespace, read) };
    } catch (error) {
      if (error instanceof ReadFailure) return { id, failure: error.failure };
      throw error;
    }
  };
  print(ready);
  for (const line of lines()) print(JSON.stringify(serve(JSON.parse(line))));
}

/** Runs functions in other mount namespaces, or in the own one. */
function openNamespaces(): EnterNamespace {
  const start = { step: 'start', path: '' };
  const home = calls.open('/proc/thread-self/ns/mnt', 0, start);
  const directory = calls.open('/', O_PATH, start);
  return (namespace, run) => {
    if (namespace === undefined) return run();
    const { path, name } = namespace;
    const at = { step: 'enter', path };
    calls.unshare(CLONE_FS, at);
    const entering = calls.open(path, 0, at);
    try {
      const found = `mnt:[${fstatSync(entering).ino}]`;
      if (name !== undefined && found !== name) throw new ReadFailure({ errno: 'ESRCH', call: 'open', ...at });
      calls.setns(entering, CLONE_NEWNS, at);
    } finally {
      calls.close(entering);
    }
    try {
      return run();
    } finally {
      returnHome(home, directory);
    }
  };
}

/** Ends the prober if it fails, because all later reads would be in the wrong namespace. */
function returnHome(home: number, directory: number): void {
  try {
    const at = { step: 'return', path: '/' };
    calls.setns(home, CLONE_NEWNS, at);
    calls.fchdir(directory, at);
  } catch (cause) {
    throw new Error('cannot return to the own mount namespace', { cause });
  }
}

function serveLookUps(): void {
  for (const line of lines()) print(JSON.stringify(answerLookUp(JSON.parse(line))));
}

/** Blocks for each line: an event loop would only delay the read. */
function* lines(): Generator<string> {
  const buffer = Buffer.alloc(65536);
  let rest = '';
  for (;;) {
    const read = readSync(0, buffer);
    if (read === 0) return;
    const pieces = (rest + buffer.toString('utf8', 0, read)).split('\n');
    rest = pieces.pop() ?? '';
    yield* pieces;
  }
}

function print(line: string): void {
  writeSync(1, `${line}\n`);
}

main();
