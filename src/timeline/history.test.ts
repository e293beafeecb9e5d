import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type History, joinHistories, openHistory, readHistory } from './history.ts';
import type { HistoryEvent } from './record.ts';

const origin = 5_000_000_000_000;
const note = (text: string, at = origin): HistoryEvent => ({ kind: 'note', at, text });

describe('the history', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekindle-history-'));
    path = join(folder, 'history.ndjson');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('keeps every moment as nanoseconds since the origin and durations as they are', async () => {
    await using history = await openHistory({ path, origin });
    history.append({
      kind: 'probe',
      at: origin + 1,
      probe: 'p',
      op: 'read',
      startedAt: origin + 2,
      finishedAt: origin + 3,
      result: 'ok',
    });
    history.append({ kind: 'hang', at: origin + 4, probe: 'p', op: 'list', since: origin + 2, over: false });
    history.append({ kind: 'agent', at: origin + 5, event: 'replaced', tookNs: 7, line: { time: origin } });
    const expected = [
      { kind: 'probe', at: 1, probe: 'p', op: 'read', startedAt: 2, finishedAt: 3, result: 'ok' },
      { kind: 'hang', at: 4, probe: 'p', op: 'list', since: 2, over: false },
      { kind: 'agent', at: 5, event: 'replaced', tookNs: 7, line: { time: origin } },
    ];
    expect(history.events).toEqual(expected);
    await history.flush();
    expect(await readHistory(path)).toEqual({ events: expected, cut: false });
  });

  it('writes down the scenario in force, and gives its events in order of time', async () => {
    await using history = await openHistory({ path, origin });
    history.append(note('before'));
    history.enter('one');
    history.append(note('late', origin + 9));
    history.append(note('early', origin + 3));
    history.append(note('early too', origin + 3));
    history.enter('two');
    history.append(note('other'));
    history.enter(undefined);
    history.append(note('after'));
    const texts = history.ofScenario('one').map((event) => event.kind === 'note' && event.text);
    expect(texts).toEqual(['early', 'early too', 'late']);
    expect(history.events.map(({ scenario }) => scenario)).toEqual([undefined, 'one', 'one', 'one', 'two', undefined]);
  });

  it('keeps the order of arrival on disk through many appends and flushes', async () => {
    const history = await openHistory({ path, origin });
    for (let n = 0; n < 5_000; n++) {
      history.append(note(String(n)));
      if (n % 1_000 === 0) await history.flush();
    }
    await history.close();
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(Array.from({ length: 5_000 }, (_, n) => String(n)));
  });

  it('omits the last line of a killed run and reports that it was cut', async () => {
    const history = await openHistory({ path, origin });
    history.append(note('whole'));
    await history.close();
    await appendFile(path, '{"kind":"note","at":1,"te');
    expect(await readHistory(path)).toEqual({ events: [{ kind: 'note', at: 0, text: 'whole' }], cut: true });
  });

  it('joins the parts of several runners, without the half line of a killed one', async () => {
    const parts = ['one', 'two'].map((name) => join(folder, name));
    const whole = ['one a', 'one b', 'two a'].map((text) => JSON.stringify(note(text)));
    await writeFile(parts[0] ?? '', `${whole[0]}\n${whole[1]}\n{"kind":"no`);
    await writeFile(parts[1] ?? '', `${whole[2]}\n`);
    const events = await joinHistories([...parts, join(folder, 'of a runner that never started')], path);
    expect(events).toEqual(['one a', 'one b', 'two a'].map((text) => note(text)));
    expect(await readFile(path, 'utf8')).toBe(whole.map((line) => `${line}\n`).join(''));
    expect(await readdir(folder)).toEqual(['history.ndjson']);
  });

  it('joins them without the events of a run that does not count', async () => {
    const part = join(folder, 'one');
    const events = ['a', 'b', 'a'].map((scenario) => ({ ...note(`of ${scenario}`), scenario }));
    await writeFile(part, `${[...events, note('of none')].map((event) => JSON.stringify(event)).join('\n')}\n`);
    const joined = await joinHistories([part], path, new Map([[part, ['a']]]));
    expect(joined).toEqual([events[1], note('of none')]);
  });

  it('never overwrites the history of another run', async () => {
    const history: History = await openHistory({ path, origin });
    await history.close();
    await expect(openHistory({ path, origin })).rejects.toMatchObject({ code: 'HISTORY_UNWRITABLE', errno: 'EEXIST' });
  });

  it('names the folder that is missing', async () => {
    const missing = join(folder, 'missing/history.ndjson');
    await expect(openHistory({ path: missing, origin })).rejects.toThrow(
      `cannot write the history ${missing}: open: ENOENT`,
    );
  });
});
