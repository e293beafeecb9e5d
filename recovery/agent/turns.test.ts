import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTooLong } from './turns.ts';

const program = fileURLToPath(new URL('./turns.ts', import.meta.url));

describe('a turn of the event loop is too long', () => {
  it.each([
    ['if it uses 20 ms of CPU', { cpu: 20, waited: 0, pressed: 0 }, true],
    ['if it waits 20 ms in system calls', { cpu: 0, waited: 20, pressed: 1 }, true],
    ['if it uses 40 ms of CPU on a busy machine', { cpu: 40, waited: 0, pressed: 90 }, true],
    ['if it uses 40 ms of CPU on a machine that is not known to be busy', { cpu: 40, waited: 0 }, true],
    ['but not below that', { cpu: 19.9, waited: 19.9, pressed: 0 }, false],
    ['but not if a busy machine may be the cause', { cpu: 39, waited: 900, pressed: 91 }, false],
    ['but not if a busy machine cannot be excluded', { cpu: 39, waited: 900 }, false],
  ])('%s', (_, turn, expected) => {
    expect(isTooLong({ at: 0, pressed: undefined, ...turn })).toBe(expected);
  });
});

describe('the judgement of recorded turns', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rekindle-turns-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const judge = () => {
    const { status, stdout } = spawnSync(process.execPath, [program, '--judge', directory], { encoding: 'utf8' });
    return { status, summary: stdout.split('\n')[0] };
  };

  it('fails if a program, even while its modules are loaded, has used too much CPU in one turn', () => {
    const use = 'const used = () => process.threadCpuUsage().user / 1e3; while (used() < 100);';
    spawnSync(process.execPath, [`--import=${program}`, '-e', `${use} setTimeout(() => {}, 200)`], {
      env: { REKINDLE_TURNS: directory },
    });
    expect(judge()).toEqual({
      status: 1,
      summary: expect.stringMatching(/^1 agents, \d+ turns, [1-9]\d* of them too long$/),
    });
  });

  it('succeeds if all turns were short, and fails if nothing was recorded', () => {
    expect(judge().status).toBe(1);
    const longest = [{ at: 100, cpu: 5, waited: 3, pressed: 0 }];
    writeFileSync(join(directory, 'agent.json'), JSON.stringify({ turns: 12, longest }));
    // Of an agent that was killed while it wrote.
    writeFileSync(join(directory, 'other.json.part'), '{"turns":');
    expect(judge()).toEqual({ status: 0, summary: '1 agents, 12 turns, 0 of them too long' });
  });

  it.each([
    ['succeeds with one long wait in 25,000 turns', 25_000, { cpu: 1, waited: 22 }, 0],
    ['fails with one in fewer', 24_999, { cpu: 1, waited: 22 }, 1],
    ['fails with one turn of too much CPU in any number', 1_000_000, { cpu: 22, waited: 0 }, 1],
  ])('%s', (_, turns, turn, status) => {
    writeFileSync(
      join(directory, 'agent.json'),
      JSON.stringify({ turns, longest: [{ at: 100, pressed: 0, ...turn }] }),
    );
    expect(judge().status).toBe(status);
  });
});
