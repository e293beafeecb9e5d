import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTooLong } from './turns.ts';

const program = fileURLToPath(new URL('./turns.ts', import.meta.url));

describe('a turn of the event loop is too long', () => {
  const longest = { call: 'umount2 /data', took: 20 };
  it.each([
    ['if it uses 20 ms of CPU', { cpu: 20, waited: 0, pressed: 0 }, true],
    ['if it waits 20 ms in a system call', { cpu: 0, waited: 20, pressed: 1, longest }, true],
    ['if it uses 40 ms of CPU on a busy machine', { cpu: 40, waited: 0, pressed: 90 }, true],
    ['if it uses 40 ms of CPU on a machine that is not known to be busy', { cpu: 40, waited: 0 }, true],
    ['but not below that', { cpu: 19.9, waited: 19.9, pressed: 0 }, false],
    ['but not if a busy machine may be the cause', { cpu: 39, waited: 900, pressed: 91 }, false],
    ['but not if a busy machine cannot be excluded', { cpu: 39, waited: 900 }, false],
    ['but not if a hypervisor may have taken the time', { cpu: 0, waited: 39, pressed: 0, stolen: 20, longest }, false],
    [
      'if a hypervisor has taken less',
      { cpu: 0, waited: 40, pressed: 0, stolen: 20, longest: { ...longest, took: 40 } },
      true,
    ],
    ['but not if it waited in no call', { cpu: 0, waited: 136, pressed: 0, faults: 1 }, false],
  ])('%s', (_, turn, expected) => {
    expect(isTooLong({ at: 0, pressed: undefined, stolen: 0, faults: 0, ...turn })).toBe(expected);
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
    return { status, stdout, summary: stdout.split('\n')[0] };
  };

  it('fails if a program, even while its modules are loaded, has used too much CPU in one turn', () => {
    const use =
      'const used = () => process.threadCpuUsage().user / 1e3; const from = used(); while (used() < from + 100);';
    spawnSync(process.execPath, [`--import=${program}`, '-e', `${use} setTimeout(() => {}, 200)`], {
      env: { REKINDLE_TURNS: directory },
    });
    expect(judge()).toMatchObject({
      status: 1,
      summary: expect.stringMatching(/^1 agents, \d+ turns, [1-9]\d* of them too long$/),
    });
  });

  it('allows a slower machine as much more CPU as it needs, and no longer wait', () => {
    const turn = { at: 100, cpu: 25, waited: 3, pressed: 0, stolen: 0, faults: 0 };
    const judged = (changed: object, ...percent: string[]) => {
      writeFileSync(join(directory, 'agent.json'), JSON.stringify({ turns: 12, longest: [{ ...turn, ...changed }] }));
      return spawnSync(process.execPath, [program, '--judge', directory, ...percent]).status;
    };
    const wait = { waited: 25, longest: { call: 'umount2 /data', took: 25 } };
    expect([judged({}), judged({}, '160'), judged(wait, '160'), judged({ cpu: 35 }, '160')]).toEqual([1, 0, 1, 1]);
    expect(judged({}, '50')).toBe(2);
  });

  it('succeeds if all turns were short, and fails if nothing was recorded', () => {
    expect(judge().status).toBe(1);
    const longest = [{ at: 100, cpu: 5, waited: 3, pressed: 0, stolen: 0, faults: 0 }];
    writeFileSync(join(directory, 'agent.json'), JSON.stringify({ turns: 12, longest }));
    // Of an agent that was killed while it wrote.
    writeFileSync(join(directory, 'other.json.part'), '{"turns":');
    expect(judge()).toMatchObject({ status: 0, summary: '1 agents, 12 turns, 0 of them too long' });
  });

  it('fails with one long wait in any number of turns', () => {
    const call = { call: 'umount2 /data', took: 22 };
    const longest = [{ at: 100, cpu: 1, waited: 22, pressed: 0, stolen: 0, faults: 0, longest: call }];
    writeFileSync(join(directory, 'agent.json'), JSON.stringify({ turns: 1_000_000, longest }));
    expect(judge().status).toBe(1);
  });

  it('names the call that took longest in a turn', () => {
    const wait = "require('node:child_process').spawnSync('sleep', ['0.1'])";
    spawnSync(process.execPath, [`--import=${program}`, '-e', `${wait}; setTimeout(() => {}, 200)`], {
      env: { ...process.env, REKINDLE_TURNS: directory },
    });
    expect(judge().stdout).toMatch(/, spawnSync sleep took \d{3,}\.\d,/);
  });
});
