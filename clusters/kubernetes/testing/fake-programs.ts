import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Docker } from '../docker.ts';
import type { ProviderOptions } from '../provider.ts';

/** A kubeconfig for an address on which no server listens. */
export const kubeConfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'c',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 't' } }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
});

export const runId = '20261122-134501-k3f9';

/** A Docker that has every image. */
const docker: Docker = {
  hasImage: async () => true,
  build: async () => {},
  pull: async () => {},
  save: async () => {},
};

export interface ProviderFixture {
  readonly options: ProviderOptions;
  readonly lines: string[];
  readonly interrupt: () => void;
}

/** Options for providers whose tools are fake programs. */
export function providerOptions(fakes: FakePrograms): ProviderFixture {
  const lines: string[] = [];
  const controller = new AbortController();
  const { folder, environment } = fakes;
  return {
    lines,
    interrupt: () => controller.abort(new Error('interrupted')),
    options: {
      docker,
      runId,
      resultsDir: folder,
      diagnosticsDir: folder,
      environment,
      signal: controller.signal,
      onProgress: (line) => void lines.push(line),
    },
  };
}

/** A server that records every patch of a node, and a kubeconfig that points to it. */
export async function servedKubeConfig() {
  const patched: { readonly url: string; readonly body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    patched.push({ url: request.url ?? '', body: JSON.parse(await text(request)) });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind":"Node","apiVersion":"v1"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    kubeConfig: kubeConfig.replace(
      '"https://127.0.0.1:1"',
      `"http://127.0.0.1:${port}","insecure-skip-tls-verify":true`,
    ),
    patched,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** A fake program's reply to arguments with a prefix. The first reply that matches is used. */
export interface CannedReply {
  readonly to: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Is written to the file that `KUBECONFIG` or the flag `--kubeconfig=` names. */
  readonly kubeConfig?: string;
  /** The program runs until a signal ends it. */
  readonly forever?: boolean;
}

/** Programs that record their calls, in a folder that is the whole PATH of the code under test. */
export class FakePrograms {
  /** In the checkout, because the programs among temporary files may not be executable. The caller removes it. */
  readonly folder: string;

  constructor(name: string) {
    const parent = fileURLToPath(new URL('../../../dist', import.meta.url));
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, `${name}-`));
  }

  /** An environment without other programs. */
  get environment(): Readonly<Record<string, string>> {
    return { PATH: join(this.folder, 'bin'), HOME: this.folder };
  }

  add(program: string, replies: readonly CannedReply[]): void {
    mkdirSync(join(this.folder, 'bin'), { recursive: true });
    const file = join(this.folder, 'bin', program);
    const data = JSON.stringify({ program, replies, log: this.#log });
    const code = `const {program,replies,log}=${data};\n(${fakeProgram.toString()})(program,replies,log);\n`;
    writeFileSync(`${file}.cjs`, code);
    // An interpreter's path may have no spaces.
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${file}.cjs' "$@"\n`, { mode: 0o755 });
  }

  /** The calls as lines: `kind create cluster --name=x`. */
  get calls(): readonly string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').slice(0, -1) : [];
  }

  get #log(): string {
    return join(this.folder, 'calls.log');
  }
}

/** Runs in a separate process, which has only its arguments of this module. */
function fakeProgram(program: string, replies: readonly CannedReply[], log: string): void {
  const { appendFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const args = process.argv.slice(2).join(' ');
  appendFileSync(log, `${program} ${args}\n`);
  const reply = replies.find(({ to }) => args.startsWith(to));
  if (reply === undefined) {
    process.stderr.write(`${program}: unexpected arguments ${args}\n`);
    process.exit(97);
  }
  const file = /--kubeconfig=(\S+)/.exec(args)?.[1] ?? process.env.KUBECONFIG;
  if (reply.kubeConfig !== undefined && file !== undefined) writeFileSync(file, reply.kubeConfig);
  process.stdout.write(reply.stdout ?? '');
  process.stderr.write(reply.stderr ?? '');
  if (reply.forever) setInterval(() => {}, 1000);
  else process.exitCode = reply.exitCode ?? 0;
}
