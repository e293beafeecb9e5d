/**
 * What an exec of the harness runs in the node program's pod: `node relay.cjs open|resume SESSION`. Standard input and output are
 * those of a session, which is a process of its own and goes on when the exec is cut; `open` starts it.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastWordsOf, noSession, socketOf } from '../conversation/socket.ts';
import { bundleFiles, bundleInImage } from './in-image.ts';

const [how = '', session = ''] = process.argv.slice(2);
const patienceMs = how === 'open' ? 20_000 : 0;

if (how === 'open') {
  const words = openSync(lastWordsOf(session), 'a');
  const command = [join(bundleInImage, bundleFiles.session), session];
  spawn(process.execPath, command, { detached: true, stdio: ['ignore', words, words] }).unref();
}

void reach().then((socket) => {
  if (!socket) {
    process.stderr.write(lastWords() || 'the session has ended\n');
    process.exitCode = noSession;
    return;
  }
  process.stdin.pipe(socket).pipe(process.stdout);
  process.stdout.on('error', () => socket.destroy());
  // The last words of a session that has ended are for whoever comes next.
  socket.on('close', () => process.exit(0));
});

async function reach(): Promise<Socket | undefined> {
  for (const deadline = performance.now() + patienceMs; ; await delay(20)) {
    const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
    const attempt = connect(socketOf(session));
    attempt.once('connect', () => resolve(attempt)).on('error', () => resolve(undefined));
    const reached = await promise;
    if (reached || performance.now() > deadline) return reached;
  }
}

function lastWords(): string {
  try {
    return readFileSync(lastWordsOf(session), 'utf8').slice(-600);
  } catch {
    return '';
  }
}
