import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parseFlags } from './flags.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

function run(...flags: readonly string[]) {
  const child = execa(process.execPath, [program, ...flags], { stdin: 'pipe', buffer: false, reject: false });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const complaints: string[] = [];
  child.stderr.on('data', (chunk) => complaints.push(String(chunk)));
  const exit = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  return {
    child,
    exit,
    complaints,
    async event(): Promise<{ event: string; url?: string }> {
      const { value } = await lines.next();
      return JSON.parse(String(value));
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

describe('the control plane process', () => {
  it('serves once it is ready, starts its controllers, and ends on SIGTERM', async () => {
    using plane = run('--port=0', '--token=t');
    const { event, url } = await plane.event();
    expect(event).toBe('ready');
    const answer = await fetch(`${url}/api/v1/nodes`, { headers: { authorization: 'Bearer t' } });
    expect(await answer.json()).toMatchObject({ kind: 'NodeList', items: [] });
    expect(await plane.event()).toEqual({ event: 'controllers' });
    plane.child.kill('SIGTERM');
    expect(await plane.exit).toEqual([0, null]);
    expect(plane.complaints).toEqual([]);
  });

  it('ends when its standard input closes, even before the controllers run', async () => {
    using plane = run('--port=0', '--token=t');
    expect(await plane.event()).toMatchObject({ event: 'ready' });
    plane.child.stdin.end();
    expect(await plane.exit).toEqual([0, null]);
  });

  it('reports a port that is in use, and ends with status 3', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    using plane = run(`--port=${port}`, '--token=t');
    expect(await plane.exit).toEqual([3, null]);
    expect(plane.complaints.join('')).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
    taken.close();
  });

  it.each([
    [['--port=70000', '--token=t'], '--port=70000'],
    [['--port=x', '--token=t'], '--port=x'],
    [['--port=0'], '--token=TOKEN is needed'],
    [['--token='], '--token=TOKEN is needed'],
    [['--token=t', '--verbose'], 'unknown flag --verbose'],
    [['--token=t', 'word'], 'unknown flag word'],
  ])('refuses %s', (argv, sentence) => {
    expect(parseFlags(argv)).toContain(sentence);
  });

  it('accepts a token with any characters', () => {
    expect(parseFlags(['--port=0', '--token=a=b c'])).toEqual({ port: 0, token: 'a=b c' });
  });
});
