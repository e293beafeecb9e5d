/**
 * Runs in the node program's pod for each exec of the harness: `node relay.cjs open|resume SESSION`. Connects standard input and
 * output with a session, which is a separate process and survives a broken exec. `open` starts the session.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { noSession, sessionLog, sessionSocket } from '../conversation/session.ts';
import { bundleFiles, bundleInImage } from './in-image.ts';

const [mode = '', session = ''] = process.argv.slice(2);
const timeoutMs = mode === 'open' ? 20_000 : 0;

if (mode === 'open') {
  const log = openSync(sessionLog(session), 'a');
  const command = [join(bundleInImage, bundleFiles.session), session];
  // Not execa, which would double the start-up time of a relay.
  spawn(process.execPath, command, { detached: true, stdio: ['ignore', log, log] }).unref();
}

void connectToSession().then((socket) => {
  if (!socket) {
    process.stderr.write(readLog() || 'the session has ended\n');
    process.exitCode = noSession;
    return;
  }
  process.stdin.pipe(socket).pipe(process.stdout);
  process.stdout.on('error', () => socket.destroy());
  // A relay that comes after the session's end reports its log.
  socket.on('close', () => process.exit(0));
});

async function connectToSession(): Promise<Socket | undefined> {
  for (const deadline = performance.now() + timeoutMs; ; await delay(20)) {
    const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
    const attempt = connect(sessionSocket(session));
    attempt.once('connect', () => resolve(attempt)).on('error', () => resolve(undefined));
    const socket = await promise;
    if (socket || performance.now() > deadline) return socket;
  }
}

function readLog(): string {
  try {
    return readFileSync(sessionLog(session), 'utf8').slice(-600);
  } catch {
    return '';
  }
}
