import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCsiClient } from '../csi/client.ts';
import { childrenOf } from '../linux/processes.ts';

const isRoot = process.getuid?.() === 0;
const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Milliseconds for what the agent does by itself, on a machine that is busy with other tests. */
const startTimeout = 60_000;

/** An agent process in a private mount namespace. */
interface Agent {
  readonly process: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

let directory: string;
let server: Server;
let port: number;
let agents: Agent[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rekindle-agent-'));
  agents = [];
  mkdirSync(join(directory, 'kubelet/pods'), { recursive: true });
  server = createServer((request, response) => {
    response.writeHead(200);
    if (request.url?.includes('watch=')) response.flushHeaders();
    else response.end('{"metadata":{"resourceVersion":"1"},"items":[]}');
  });
  await listen(0);
  port = (server.address() as AddressInfo).port;
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  const config = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(join(directory, 'kubeconfig'), JSON.stringify(config));
});

afterEach(async () => {
  for (const agent of agents) {
    agent.process.kill('SIGKILL');
    await agent.ended;
  }
  await close();
  rmSync(directory, { recursive: true });
});

const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));

async function close(): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

function start(flags: readonly string[] = []): Agent {
  const child = spawn(
    'unshare',
    [
      ...['-m', '--propagation', 'private', process.execPath, main, '--nodeid=node-1', '--metrics-addr=127.0.0.1:0'],
      ...[`--endpoint=unix://${directory}/csi.sock`, `--kubeconfig=${directory}/kubeconfig`, ...flags],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, KUBELET_ROOTDIR: join(directory, 'kubelet') } },
  );
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, stderr })),
  );
  const agent = { process: child, lines, ended };
  agents.push(agent);
  return agent;
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');

const line = async (agent: Agent, event: string) => {
  const found = () => agent.lines.find((each) => each.event === event);
  await expect.poll(found, { timeout: startTimeout, interval: 5 }).toBeDefined();
  return found() ?? {};
};

describe.skipIf(!isRoot)(
  `the agent as a process${isRoot ? '' : ' (needs root, to make a mount namespace)'}`,
  { timeout: 4 * startTimeout },
  () => {
    it('serves CSI, metrics and health once it is ready, and exits cleanly', async () => {
      const agent = start(['--feature-gates=FuseRecovery=true', '--status-addr=127.0.0.1:0']);
      const ready = await line(agent, 'ready');
      expect(ready).toMatchObject({ node: 'node-1', recovery: true, ns: expect.stringMatching(/^\d+$/) });
      const address = `http://${ready.metrics}`;
      for (const path of ['readyz', 'healthz', 'livez']) {
        const response = await fetch(`${address}/${path}`);
        expect([path, response.status, await response.text()]).toEqual([path, 200, 'ok\n']);
      }
      await line(agent, 'passed');
      expect(await (await fetch(`${address}/metrics`)).text()).toContain(
        'rekindle_pass_phase_seconds_count{phase="whole"}',
      );
      expect((await fetch(`${address}/other`)).status).toBe(404);
      // It names the pods of all tenants.
      expect((await fetch(`${address}/status`)).status).toBe(404);
      const status: unknown = await (await fetch(`http://${ready.status}/status`)).json();
      expect(status).toMatchObject({ node: 'node-1', agent: { recovery: true, problems: [] }, volumes: [] });
      using client = createCsiClient(`unix://${directory}/csi.sock`);
      expect(await client.nodeGetInfo({})).toMatchObject({ nodeId: 'node-1' });
      expect((await client.probe({})).ready.value).toBe(true);
      agent.process.kill('SIGTERM');
      expect(await agent.ended).toEqual({ code: 0, stderr: '' });
      expect(agent.lines.at(-1)).toMatchObject({ event: 'stopped', signal: 'SIGTERM' });
    });

    it('is not ready if no kubelet has its pods in the directory', async () => {
      rmdirSync(join(directory, 'kubelet/pods'));
      const ready = await line(start(), 'ready');
      const response = await fetch(`http://${ready.metrics}/readyz`);
      const reason = `waiting for a kubelet: none has its pods below ${directory}/kubelet: deploy with --kubelet-root\n`;
      expect([response.status, await response.text()]).toEqual([503, reason]);
    });

    it('replaces its socket after it was killed', async () => {
      const first = start();
      await line(first, 'ready');
      first.process.kill('SIGKILL');
      await first.ended;
      const second = start();
      await line(second, 'ready');
      using client = createCsiClient(`unix://${directory}/csi.sock`);
      expect(await client.nodeGetInfo({})).toMatchObject({ nodeId: 'node-1' });
    });

    it('serves CSI while the API server is unavailable, and becomes healthy afterwards', async () => {
      await close();
      const agent = start();
      const failed = await line(agent, 'watch-failed');
      expect(failed.error).toContain('ECONNREFUSED');
      await expect.poll(() => existsSync(`${directory}/csi.sock`), { timeout: startTimeout }).toBe(true);
      using client = createCsiClient(`unix://${directory}/csi.sock`);
      expect(await client.nodeGetInfo({})).toMatchObject({ nodeId: 'node-1' });
      expect((await client.probe({})).ready.value).toBe(false);
      await listen(port);
      await line(agent, 'ready');
      expect((await client.probe({})).ready.value).toBe(true);
    });

    it('is not ready while it cannot list, and names what it lacks', async () => {
      await close();
      const agent = start();
      const { metrics } = await line(agent, 'listening');
      const get = async (path: string) => {
        const response = await fetch(`http://${metrics}/${path}`);
        return `${response.status} ${await response.text()}`;
      };
      const ready = await get('readyz');
      expect(ready).toMatch(/^503 .*waiting for the API server/);
      expect(ready).toMatch(/^pods: not listed for \d+ s/m);
      // A restart would not help.
      await expect.poll(() => get('livez'), { timeout: startTimeout }).toBe('200 ok\n');
    });

    it('is not live while its prober does not answer', async () => {
      const agent = start();
      const { metrics } = await line(agent, 'ready');
      const livez = async () => (await fetch(`http://${metrics}/livez`)).status;
      await expect.poll(livez, { timeout: startTimeout }).toBe(200);
      const probers = childrenOf('/proc', agent.process.pid ?? 0).filter((pid) => / wait\b/.test(commandOf(pid)));
      expect(probers).not.toEqual([]);
      for (const pid of probers) process.kill(pid, 'SIGSTOP');
      await expect.poll(livez, { timeout: startTimeout }).toBe(503);
      for (const pid of probers) process.kill(pid, 'SIGCONT');
      await expect.poll(livez, { timeout: startTimeout }).toBe(200);
    });

    it('exits at once while it waits for the API server', async () => {
      await close();
      const agent = start();
      await line(agent, 'watch-failed');
      agent.process.kill('SIGTERM');
      expect((await agent.ended).code).toBe(0);
      expect(agent.lines.at(-1)).toMatchObject({ event: 'stopped' });
    });

    it.each([
      ['a port that is taken', () => [`--metrics-addr=127.0.0.1:${port}`], 'choose another --metrics-addr'],
      ['an endpoint that is a file', () => [`--endpoint=unix://${directory}/kubeconfig`], 'is not a socket'],
      ['a kubeconfig that is missing', () => ['--kubeconfig=/nowhere'], '--kubeconfig=/nowhere cannot be read'],
    ])('refuses to start with %s: status 3 and one sentence', async (_, flags, said) => {
      const { code, stderr } = await start(flags()).ended;
      expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(said) });
      expect(stderr.trim().split('\n')).toHaveLength(1);
    });
  },
);
