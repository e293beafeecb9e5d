/**
 * The prober reads where its parent must not, because a mount may hang. It enters the requested namespace, takes the consumer's
 * identity, reads, returns, and responds. It blocks in whatever call blocks; the parent then abandons it.
 *
 * stdin has `ProberRequest`s and stdout `ProberResponse`s, one JSON object per line. The process ends with its input or with its
 * parent. With the argument `walk` it opens paths for the parent instead (see `Walker`).
 */
import { readSync, writeSync } from 'node:fs';
import type { ReadAnswer, Result } from '../../engine/ports.ts';
import { loadSyscalls } from '../load-syscalls.ts';
import { CLONE_FS, CLONE_NEWNS, O_PATH, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../syscalls.ts';
import { calls, ReadFailure } from './calls.ts';
import { Identity } from './identity.ts';
import { answerLookUp } from './look-up.ts';
import { type ProberRequest, type ProberResponse, ready } from './protocol.ts';
import { askMount, proveMount } from './read.ts';

function main(): void {
  const parent = process.ppid;
  const identity = new Identity();
  // The parent may have died before the kernel was asked to send a signal at its death.
  if (calls.getppid() !== parent) return;
  if (process.argv[2] === 'walk') serveWalks(parent);
  else if (process.argv[2] === 'look-up') serveLookUps();
  else serveReads(identity);
}

function serveReads(identity: Identity): void {
  const start = { step: 'start', path: '' };
  const home = calls.open('/proc/thread-self/ns/mnt', 0, start);
  const directory = calls.open('/', O_PATH, start);

  const serve = (request: ProberRequest): ProberResponse => {
    const { id, answerOnly, as, namespace, path } = request;
    try {
      const capabilities = as === undefined ? 0n : identity.capabilitiesOf(as);
      const ask = () => (answerOnly ? askMount(path) : proveMount(path));
      const read = () => (as === undefined ? ask() : identity.as(as, capabilities, ask));
      return { id, answer: inNamespace({ home, directory, namespace }, read) };
    } catch (error) {
      if (error instanceof ReadFailure) return { id, failure: error.failure };
      throw error;
    }
  };
  print(ready);
  for (const line of lines()) print(JSON.stringify(serve(JSON.parse(line))));
}

function inNamespace(
  { home, directory, namespace }: { home: number; directory: number; namespace: string | undefined },
  read: () => ReadAnswer,
): ReadAnswer {
  if (namespace === undefined) return read();
  const at = { step: 'enter', path: namespace };
  calls.unshare(CLONE_FS, at);
  const entering = calls.open(namespace, 0, at);
  try {
    calls.setns(entering, CLONE_NEWNS, at);
  } finally {
    calls.close(entering);
  }
  try {
    return read();
  } finally {
    returnHome(home, directory);
  }
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

/** A path to open below a descriptor of the parent, or permission to close the descriptor that was opened last. */
type WalkRequest = { readonly at: number; readonly path: string } | { readonly release: true };

/**
 * Opens paths for the parent, and holds the opened descriptor so that the parent can take it over through /proc. The response is the
 * number of the descriptor or the name of an errno; a release has no response.
 */
function serveWalks(parent: number): void {
  const sys = loadSyscalls();
  let held: Result<number> | undefined;
  const walk = (request: WalkRequest): string | undefined => {
    if (held?.ok) sys.close(held.value);
    held = undefined;
    if ('release' in request) return undefined;
    const start = sys.open(`/proc/${parent}/fd/${request.at}`, O_PATH);
    if (!start.ok) return start.failure.errno;
    const resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
    held = sys.openat2({ at: start.value, path: request.path, flags: O_PATH, resolve });
    sys.close(start.value);
    return held.ok ? String(held.value) : held.failure.errno;
  };
  print(ready);
  for (const line of lines()) {
    const response = walk(JSON.parse(line));
    if (response !== undefined) print(response);
  }
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
