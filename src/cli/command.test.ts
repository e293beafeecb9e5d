import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

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

/** Runs a program without any other variable in its environment. */
const run = (program: string, args: readonly string[]) =>
  execa(program, args, { env, extendEnv: false, reject: false, stripFinalNewline: false });

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
    const running = run(node, [script, 'a b', '--x=*']);
    const [pid, version, args] = JSON.parse((await running).stdout);
    expect(pid).toBe(running.pid);
    expect(version).toMatch(/^24\./);
    expect(args).toEqual(['a b', '--x=*']);
  });

  test('exit status and standard error are those of the command', async () => {
    const script = project('console.error("why"); process.exitCode = 7;');
    expect(await run(node, [script])).toMatchObject({ exitCode: 7, stderr: 'why\n' });
  });

  test('a signal arrives once', async () => {
    const script = project(`
      let count = 0;
      process.on('SIGINT', () => { count++; setImmediate(() => { console.log(count); process.exit(9); }); });
      console.log('ready');
      setInterval(() => {}, 1000);
    `);
    const child = run(node, [script]);
    child.stdout.on('data', (piece: Buffer) => {
      if (piece.includes('ready')) child.kill('SIGINT');
    });
    expect(await child).toMatchObject({ exitCode: 9, stdout: 'ready\n1\n' });
  });

  test('without the packages of npm it says so, with status 3', async () => {
    const script = project('', false);
    expect(await run(node, [script])).toMatchObject({
      exitCode: 3,
      stderr: 'rekindle: the npm packages are missing: run npm ci in the folder of Rekindle\n',
    });
  });

  test.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'riscv64'],
  ])('on %s with %s it names the page that says how to run it there', async (platform, arch) => {
    const properties = JSON.stringify({ platform: { value: platform }, arch: { value: arch } });
    const otherSystem = `data:text/javascript,Object.defineProperties(process,${properties})`;
    const { exitCode, stderr } = await run(node, ['--import', otherSystem, command, 'crash']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`this is ${platform} on ${arch}: run it on Linux x86-64 or arm64`);
    expect(existsSync(join(dirname(modules), /docs\S+\.md/.exec(stderr)?.[0] ?? ''))).toBe(true);
  });

  test('without glibc it refuses in one sentence', async () => {
    const hide = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; const { existsSync } = fs;
      fs.existsSync = (path) => !/\\/ld-linux/.test(path) && existsSync(path); syncBuiltinESMExports();`;
    const otherLibrary = `data:text/javascript,${encodeURIComponent(hide)}`;
    expect(await run(node, ['--import', otherLibrary, command, 'crash'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/^rekindle: the C library is not glibc: [^\n]*, not on Alpine\n$/),
    });
  });

  test('the real command line answers', { timeout: 120_000 }, async () => {
    expect((await run(node, [command, '--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await run(node, [command, 'crash', '--fault', 'x'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^rekindle: unknown fault "x": accepted are .*kill-1.*\n$/),
    });
  });
});
