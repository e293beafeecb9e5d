import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connect, serve } from '../rpc.ts';
import type { RunningExec } from './exec.ts';
import { connectionCommand, historyFile, openSession, requestsPipe } from './node-program/session.ts';
import { resumingChannel } from './resuming-channel.ts';

let folder: string;
let stack: DisposableStack;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-session-'));
  stack = new DisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(() => stack.dispose());

interface Procedures {
  note(text: string): Promise<string>;
}

interface News {
  readonly news: string;
}

/** A session of this process, whose procedure reports two events for each call. */
function session(graceMs = 60_000) {
  const calls: string[] = [];
  const ended = Promise.withResolvers<string>();
  const procedures: Procedures = {
    async note(text) {
      calls.push(text);
      opened.write([JSON.stringify({ news: `${text} begins` }), JSON.stringify({ news: `${text} ends: € 10` })]);
      return `noted ${text}`;
    },
  };
  const server = serve(procedures, (reply) => opened.write([JSON.stringify(reply)]));
  const opened = stack.use(
    openSession({ folder, graceMs, onRequest: (request) => void server.handle(request), onEnd: ended.resolve }),
  );
  return { calls, ended: ended.promise };
}

/** Breaks a connection after a number of bytes. */
function limited(bytes: number, breakConnection: () => void): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      done(null, part);
      if (left === 0) breakConnection();
    },
  });
}

/** The harness. Its n-th connection breaks after the n-th limit, counted in bytes; those after the last limit stay. */
function harness(limits: readonly { readonly written?: number; readonly printed?: number }[] = []) {
  const left = [...limits];
  let kill = () => {};
  const channel = stack.use(
    resumingChannel<News>({
      async connect(offset): Promise<RunningExec> {
        const [file = '', ...args] = connectionCommand(folder, offset);
        const child = execa(file, args, { stdin: 'pipe', reject: false, buffer: false });
        kill = () => void child.kill('SIGKILL');
        const { written = Number.POSITIVE_INFINITY, printed = Number.POSITIVE_INFINITY } = left.shift() ?? {};
        const stdin = limited(written, kill);
        stdin.pipe(child.stdin).on('error', () => {}); // The child was killed.
        const exited = child.then(({ exitCode = null, signal = null }) => ({ exitCode, signal }));
        const stdout = child.stdout.pipe(limited(printed, kill));
        return { stdin, stdout, stderr: child.stderr.pipe(new PassThrough()), exited, close: () => stdin.end() };
      },
      onReconnect: () => {},
    }),
  );
  const news: string[] = [];
  const remote = connect<Procedures, News>(channel, { name: 'the node', onNews: (event) => news.push(event.news) });
  return { remote, news, left, channel, kill: () => kill() };
}

it('performs each request once and receives each event once, wherever connections break', async () => {
  const { calls } = session();
  // In the empty line, in the first request, in the reply, in an event's euro sign, and between lines.
  const limits = [{ written: 1 }, { written: 20 }, { written: 90 }, { printed: 3 }, { printed: 62 }, { printed: 200 }];
  const { remote, news, left } = harness(limits);
  const texts = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
  const replies = [];
  for (const text of texts) replies.push(await remote.note(text));
  expect(calls).toEqual(texts);
  expect(replies).toEqual(texts.map((text) => `noted ${text}`));
  expect(news).toEqual(texts.flatMap((text) => [`${text} begins`, `${text} ends: € 10`]));
  expect(left).toEqual([]);
});

it('continues on a connection after a killed one', async () => {
  session();
  const { remote, kill } = harness();
  await remote.note('before');
  kill();
  expect(await remote.note('after')).toBe('noted after');
});

it('ends if the node program has restarted, since its history is gone', async () => {
  session();
  const { remote, kill } = harness();
  await remote.note('before');
  writeFileSync(join(folder, historyFile), '');
  kill();
  await expect(remote.note('after')).rejects.toThrow('the node ended: the node program has restarted');
});

it('ignores half a request, which a broken connection left', async () => {
  const { calls } = session();
  appendFileSync(join(folder, requestsPipe), '{"id":1,"procedure":"note","args":["on');
  const { remote } = harness();
  await remote.note('one');
  expect(calls).toEqual(['one']);
});

it('notifies the node that the harness has ended', async () => {
  const { ended } = session();
  const { remote, channel } = harness();
  await remote.note('last');
  channel[Symbol.dispose]();
  expect(await ended).toBe('farewell');
  await expect(remote.note('late')).rejects.toThrow('the node ended: it was closed');
});

it('ends a session that no harness uses', async () => {
  expect(await session(1).ended).toBe('silence');
});
