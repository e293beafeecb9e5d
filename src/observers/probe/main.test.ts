import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProbe } from './running-probe.ts';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the probe', () => {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'rekindle-probe-'));
    writeFileSync(join(path, 'a.txt'), 'a');
  });
  afterEach(() => rmSync(path, { recursive: true }));
  const flags = () => ({
    pid: process.pid,
    path,
    rate: 500,
    name: 'probe',
    files: JSON.stringify({ 'a.txt': sum('a') }),
  });

  it('reads at fixed times, reports when it is ready, and writes all records when it is terminated', async () => {
    await using probe = startProbe(flags());
    await probe.line(({ event }) => event === 'ready');
    await probe.line(({ op }) => op === 'stat');
    const stoppedAt = Number(process.hrtime.bigint());
    probe.process.kill('SIGTERM');
    expect(await probe.exited).toBe(0);
    const events = probe.lines.filter(({ kind }) => kind === 'probe');
    const first = Number(events[0]?.at);
    expect(events.map(({ at }) => Math.round((Number(at) - first) / 2e6))).toEqual(events.map((_, slot) => slot));
    expect(new Set(events.map(({ result }) => result))).toEqual(new Set(['ok']));
    // A busy machine may have delayed the last slots, but none of those before is lost.
    expect(Number(events.at(-1)?.at)).toBeGreaterThan(stoppedAt - 1e9);
  });

  it('ends when its standard input closes', async () => {
    await using probe = startProbe(flags());
    await probe.line(({ event }) => event === 'ready');
    probe.process.stdin?.end();
    expect(await probe.exited).toBe(0);
  });

  it('reports errno and call of a failure', async () => {
    await using probe = startProbe(flags());
    await probe.line(({ event }) => event === 'ready');
    rmSync(join(path, 'a.txt'));
    const read = await probe.line(({ op, result }) => op === 'read' && result !== 'ok');
    expect(read).toMatchObject({ result: 'ENOENT', call: 'open' });
    await probe.line(({ op, result }) => op === 'list' && result === 'EEMPTY');
  });

  it('records a hang while it lasts, its end, and its result in every slot that it covered', async () => {
    // Opening a FIFO blocks until there is a writer, as reading blocks while a daemon hangs.
    execaSync('mkfifo', [join(path, 'pipe')]);
    await using probe = startProbe({ ...flags(), files: JSON.stringify({ pipe: sum('late') }) });
    const hang = await probe.line(({ kind, over }) => kind === 'hang' && over === false);
    expect(hang).toMatchObject({ probe: 'probe', op: 'read' });
    expect(probe.lines.some(({ event }) => event === 'ready')).toBe(false);
    const writer = openSync(join(path, 'pipe'), 'w');
    // The next reads do not block: without them no slot after the hang might be reported.
    writeFileSync(`${path}-next`, 'late');
    renameSync(`${path}-next`, join(path, 'pipe'));
    writeSync(writer, 'late');
    closeSync(writer);
    await probe.line(({ over, since }) => over === true && since === hang.since);
    // The report of the end precedes the slots that the hang covered.
    await probe.line(({ finishedAt, at }) => finishedAt !== undefined && Number(at) > Number(hang.at));
    const [blocked, ...covered] = probe.lines.filter(
      ({ finishedAt, at }) => finishedAt !== undefined && Number(at) <= Number(hang.at),
    );
    expect(blocked).toMatchObject({ result: 'ok', startedAt: hang.since });
    expect(covered.length).toBeGreaterThan(40);
    for (const operation of covered) {
      expect(operation).toMatchObject({
        result: 'ok',
        startedAt: blocked?.finishedAt,
        finishedAt: blocked?.finishedAt,
      });
    }
  });

  it.each(['SIGTERM', 'close of standard input'])('ends on %s while an operation hangs', async (how) => {
    execaSync('mkfifo', [join(path, 'pipe')]);
    await using probe = startProbe({ ...flags(), files: JSON.stringify({ pipe: sum('') }) });
    await probe.line(({ kind }) => kind === 'hang');
    if (how === 'SIGTERM') probe.process.kill('SIGTERM');
    else probe.process.stdin?.end();
    expect(await probe.exited).toBe(0);
    expect(probe.lines.at(-1)).toMatchObject({ kind: 'hang', over: false });
  });

  it('ends with status 3 if the container is gone before or while it reads', async () => {
    const target = execa('sleep', ['600'], { reject: false });
    await using probe = startProbe({ ...flags(), pid: Number(target.pid) });
    await probe.line(({ event }) => event === 'ready');
    target.kill('SIGKILL');
    await target;
    expect(await probe.exited).toBe(3);
    expect(probe.lines.at(-1)).toMatchObject({ event: 'error', message: expect.stringContaining('is gone') });

    await using late = startProbe({ ...flags(), pid: Number(target.pid) });
    expect(await late.exited).toBe(3);
    expect(late.lines).toEqual([{ event: 'error', message: `no process ${target.pid}: the container is gone` }]);
  });

  it('ends with status 2 and names a wrong argument', async () => {
    await using probe = startProbe({ ...flags(), rate: 0 });
    expect(await probe.exited).toBe(2);
    expect(probe.lines).toEqual([{ event: 'error', message: expect.stringContaining('--rate') }]);
  });
});
