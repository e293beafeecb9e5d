import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newRunId, type RunId, temporaryDirectory } from '../../run-id.ts';
import { listRunProcesses } from './processes.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const root = process.geteuid?.() === 0;

let temporary: string;
let children: Pick<ChildProcess, 'pid' | 'kill'>[];
let killed: RunId;
let other: RunId;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'rekindle-clean-'));
  children = [];
  killed = newRunId(new Date(), Math.random);
  other = newRunId(new Date(), Math.random);
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  // And what they have started.
  for (const { pid } of [...processesOf(killed), ...processesOf(other)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  rmSync(temporary, { recursive: true });
});

/** Resolves once the program has printed a line. */
async function start(runId: RunId, argv: readonly [string, ...string[]], role?: string): Promise<void> {
  const env = { PATH: process.env.PATH, REKINDLE_RUN_ID: runId, ...(role && { REKINDLE_RUN_ROLE: role }) };
  const [program, ...args] = argv;
  const child = execa(program, args, {
    env,
    extendEnv: false,
    stdio: ['ignore', 'pipe', 'ignore'],
    buffer: false,
    reject: false,
  });
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
}

function fill(runId: RunId, purpose?: string): string {
  const directory = temporaryDirectory(temporary, runId, purpose);
  mkdirSync(join(directory, 'a', 'b'), { recursive: true });
  writeFileSync(join(directory, 'a', 'file'), 'x');
  return directory;
}

/** Runs `rekindle clean` in a private mount namespace, in which the script has mounted what it wants. */
async function clean(script: string, args: readonly string[]) {
  const shell = `${script}\nexec "$0" "$@"`;
  const argv = [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-e',
    '-c',
    shell,
    process.execPath,
    main,
    'clean',
    ...args,
  ];
  const env = { PATH: process.env.PATH, TMPDIR: temporary, DOCKER_HOST: 'unix:///nowhere' };
  const options = { env, extendEnv: false, reject: false, stripFinalNewline: false } as const;
  const { exitCode: status, stdout } = await execa('unshare', argv, options);
  return { status, stdout };
}

const processesOf = (runId: RunId) => listRunProcesses(process.pid).filter((one) => one.runId === runId);

describe.skipIf(!root)('what a killed run left (needs root)', () => {
  test('its processes, mounts and directories are removed, and nothing of another run', async () => {
    const loop = 'sleep 1000 & sleep 1000 & echo up; wait';
    await start(killed, ['unshare', '--pid', '--fork', '--kill-child', '--mount', 'sh', '-c', loop]);
    await start(killed, ['sh', '-c', loop]);
    await start(other, ['sh', '-c', loop]);
    const [directory, second, kept] = [fill(killed), fill(killed, 'minio'), fill(other)];
    const mounts = `
      mount -t tmpfs none "${directory}/a/b"
      mkdir "${directory}/a/b/c d"
      mount -t tmpfs none "${directory}/a/b/c d"
      mount -t tmpfs none "${directory}/a/b/c d"
      touch "${directory}/a/b/c d/inside"`;
    const { status, stdout } = await clean(mounts, ['--run', killed]);
    expect(processesOf(killed)).toEqual([]);
    expect([directory, second].filter((path) => existsSync(path))).toEqual([]);
    expect(stdout).toContain(`run ${killed}: removed mount ${directory}/a/b\n`);
    expect(stdout).toContain(`run ${killed}: removed directory ${directory}\n`);
    expect(stdout.match(/removed process/g)?.length).toBeGreaterThanOrEqual(7);
    expect(stdout).not.toContain(other);
    expect(status).toBe(0);
    expect(processesOf(other).length).toBeGreaterThanOrEqual(3);
    expect(existsSync(join(kept, 'a', 'file'))).toBe(true);
  });

  test('the content of a mount that cannot be detached is not touched; it is listed, with status 5', async () => {
    const directory = fill(killed);
    // An umount that refuses, first on the PATH, in a mount of its own as programs in /tmp may not be allowed to start.
    const refusing = join(temporary, 'refusing');
    mkdirSync(refusing);
    const umount = `mount -t tmpfs refusing "${refusing}"
printf '%s\\n' '#!/bin/sh' 'echo "umount: target is busy" >&2' 'exit 32' >"${refusing}/umount"; chmod 755 "${refusing}/umount"`;
    const precious = join(temporary, 'precious');
    mkdirSync(precious);
    writeFileSync(join(precious, 'file'), 'x');
    const script = `${umount}
mount --bind "${precious}" "${directory}/a/b"; export PATH="${refusing}:$PATH"`;
    const { status, stdout } = await clean(script, ['--run', killed]);
    expect(stdout).toContain(`run ${killed}: could not remove mount ${directory}/a/b: umount: target is busy\n`);
    expect(status).toBe(5);
    expect(existsSync(join(precious, 'file'))).toBe(true);
    expect(existsSync(join(directory, 'a', 'file'))).toBe(true);
  });

  test('a run that continues is left alone, until it is named', async () => {
    await start(killed, ['sh', '-c', 'echo up; exec sleep 1000'], 'harness');
    const directory = fill(killed);
    const spared = await clean('', ['--dry-run']);
    expect(spared.stdout).toContain(`run ${killed} is going on (process ${children[0]?.pid}): left alone`);
    expect(spared.stdout).not.toContain(`run ${killed}: would remove`);
    const named = await clean('', ['--run', killed]);
    expect(named.stdout).toContain(`run ${killed}: removed directory ${directory}`);
    expect(processesOf(killed)).toEqual([]);
  });

  test('a dry run removes nothing, and says what it would', async () => {
    await start(killed, ['sh', '-c', 'echo up; exec sleep 1000']);
    const directory = fill(killed);
    const { status, stdout } = await clean('', ['--run', killed, '--dry-run']);
    expect(stdout).toContain(`run ${killed}: would remove process ${children[0]?.pid} (sleep 1000)\n`);
    expect(stdout).toContain(`run ${killed}: would remove directory ${directory}\n`);
    expect(status).toBe(0);
    expect(processesOf(killed)).toHaveLength(1);
    expect(existsSync(join(directory, 'a', 'file'))).toBe(true);
  });

  test('nothing left is nothing to clean', async () => {
    const { status, stdout } = await clean('', ['--run', killed]);
    expect(stdout).toBe(`nothing is left of run ${killed}\n`);
    expect(status).toBe(0);
  });
});
