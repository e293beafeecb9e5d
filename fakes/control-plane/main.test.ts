import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CoreV1Api } from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientConfig } from '../apiserver/client-config.ts';
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
  let folder: string;
  let kubeconfig: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rekindle-plane-'));
    kubeconfig = join(folder, 'kubeconfig');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('serves once it is ready, starts its controllers, and ends on SIGTERM', async () => {
    using plane = run('--port=0', `--kubeconfig=${kubeconfig}`);
    const { event, url } = await plane.event();
    expect(event).toBe('ready');
    const config = clientConfig(readFileSync(kubeconfig, 'utf8'));
    expect(config.getCurrentCluster()?.server).toBe(url);
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
    expect((await config.makeApiClient(CoreV1Api).listNode()).items).toEqual([]);
    expect(await plane.event()).toEqual({ event: 'controllers' });
    plane.child.kill('SIGTERM');
    expect(await plane.exit).toEqual([0, null]);
    expect(plane.complaints).toEqual([]);
  });

  it('ends when its standard input closes, even before the controllers run', async () => {
    using plane = run('--port=0', `--kubeconfig=${kubeconfig}`);
    expect(await plane.event()).toMatchObject({ event: 'ready' });
    plane.child.stdin.end();
    expect(await plane.exit).toEqual([0, null]);
  });

  it('reports a port that is in use, and ends with status 3', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    using plane = run(`--port=${port}`, `--kubeconfig=${kubeconfig}`);
    expect(await plane.exit).toEqual([3, null]);
    expect(plane.complaints.join('')).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
    taken.close();
  });

  it.each([
    [['--port=70000', '--kubeconfig=k'], '--port=70000'],
    [['--port=x', '--kubeconfig=k'], '--port=x'],
    [['--port=0'], '--kubeconfig=PATH is needed'],
    [['--kubeconfig='], '--kubeconfig=PATH is needed'],
    [['--kubeconfig=k', '--verbose'], 'unknown flag --verbose'],
    [['--kubeconfig=k', 'word'], 'unknown flag word'],
  ])('refuses %s', (argv, sentence) => {
    expect(parseFlags(argv)).toContain(sentence);
  });

  it('accepts a path with any characters', () => {
    expect(parseFlags(['--port=0', '--kubeconfig=a=b c'])).toEqual({ port: 0, kubeconfig: 'a=b c' });
  });
});
