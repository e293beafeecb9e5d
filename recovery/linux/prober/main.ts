/**
 * The prober: a process that reads where its parent must not, because a mount may be hung. It hops into the namespace that
 * is asked for, takes the consumer's identity, reads, comes back, and answers. It is single-minded on purpose: it blocks in whatever
 * call blocks, and is left behind then.
 *
 * stdin: `ProbeRequest`s, stdout: `ProbeAnswer`s, one JSON object a line. It ends with its input and dies with its parent. With
 * the argument `walk` it does the parent's walking instead: see `Walker`.
 */
import { readSync, writeSync } from 'node:fs';
import type { DeviceId } from '../../engine/model.ts';
import { Identity } from './identity.ts';
import { loadProberCalls, type ProberCalls, ReadFailure } from './libc.ts';
import { type ProbeAnswer, type ProbeRequest, ready } from './protocol.ts';
import { askMount, readMount } from './read.ts';
import { createWalk } from './walk.ts';

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const O_PATH = 0o10000000;

function main(): void {
  const parent = process.ppid;
  const calls = loadProberCalls();
  const identity = new Identity(calls);
  // The parent may have died before its death could be waited for.
  if (calls.getppid() !== parent) return;
  if (process.argv[2] === 'walk') {
    const walk = createWalk(parent);
    answer(ready);
    for (const line of lines()) {
      const said = walk(JSON.parse(line));
      if (said !== undefined) answer(said);
    }
  } else serveReads(calls, identity);
}

function serveReads(calls: ProberCalls, identity: Identity): void {
  const start = { step: 'start', path: '' };
  const home = calls.open('/proc/thread-self/ns/mnt', 0, start);
  const directory = calls.open('/', O_PATH, start);
  answer(ready);

  const serve = (request: ProbeRequest): ProbeAnswer => {
    const { id, answerOnly, as, namespace, path } = request;
    try {
      const capabilities = as === undefined ? 0n : identity.capabilitiesOf(as);
      const prove = () => (answerOnly ? askMount(calls, path) : readMount(calls, path));
      const read = () => (as === undefined ? prove() : identity.as(as, capabilities, prove));
      return { id, device: inNamespace(calls, { home, directory, namespace }, read) };
    } catch (error) {
      if (error instanceof ReadFailure) return { id, failure: error.failure };
      throw error;
    }
  };
  for (const line of lines()) answer(JSON.stringify(serve(JSON.parse(line))));
}

function inNamespace(
  calls: ProberCalls,
  { home, directory, namespace }: { home: number; directory: number; namespace: string | undefined },
  read: () => DeviceId,
): DeviceId {
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
    comeBack(calls, home, directory);
  }
}

/** Ends the prober where it fails: what it read next would be another namespace's. */
function comeBack(calls: ProberCalls, home: number, directory: number): void {
  try {
    const at = { step: 'return', path: '/' };
    calls.setns(home, CLONE_NEWNS, at);
    calls.fchdir(directory, at);
  } catch (cause) {
    throw new Error('the way back into the own mount namespace failed', { cause });
  }
}

/** Blocks for each; an event loop would only stand between the request and the read. */
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

function answer(line: string): void {
  writeSync(1, `${line}\n`);
}

main();
