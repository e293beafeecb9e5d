import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { Conversation } from '../conversation/conversation.ts';
import { serveConversation } from '../conversation/serve.ts';
import { farewell, noSession, sessionSocket } from '../conversation/session.ts';

const program = fileURLToPath(new URL('./relay.ts', import.meta.url));
const relays: ChildProcess[] = [];

afterEach(() => {
  for (const relay of relays.splice(0)) relay.kill('SIGKILL');
});

/** A session of this process, and a harness that reaches it through a relay. */
function sessionAndHarness() {
  const session = randomUUID();
  const over = Promise.withResolvers<void>();
  const asked: string[] = [];
  const there = serveConversation({
    path: sessionSocket(session),
    onLine(line) {
      asked.push(line);
      there.send([`answer to ${line}`]);
    },
    graceMs: 60_000,
    onEnd: over.resolve,
  });
  const heard: string[] = [];
  let wake = () => {};
  const here = new Conversation((line) => {
    heard.push(line);
    wake();
  });
  const relay = () => {
    const child = spawn(process.execPath, [program, 'resume', session], { stdio: ['pipe', 'pipe', 'inherit'] });
    relays.push(child);
    child.stdin.on('error', () => {}); // It may be killed while it is written to.
    const wire = here.attach((text) => void child.stdin.write(text));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => wire.receive(chunk));
    return child;
  };
  const hears = async (line: string) => {
    while (!heard.includes(line)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { here, there, relay, hears, asked, heard, over: over.promise };
}

it('is replaced when it is killed, without lost or repeated lines', async () => {
  const { here, there, relay, hears, asked, heard, over } = sessionAndHarness();
  const first = relay();
  here.send(['one']);
  await hears('answer to one');
  first.kill('SIGKILL');
  await once(first, 'exit');
  here.send(['two']);
  there.send(['what happened meanwhile']);
  relay();
  await hears('answer to two');
  expect(asked).toEqual(['one', 'two']);
  expect(heard).toEqual(['answer to one', 'what happened meanwhile', 'answer to two']);
  here.send([farewell]);
  await over;
});

it('reports by its exit status that there is no session', async () => {
  const relay = spawn(process.execPath, [program, 'resume', randomUUID()], { stdio: 'ignore' });
  expect(await once(relay, 'exit')).toEqual([noSession, null]);
});
