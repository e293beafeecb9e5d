import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { nothingIsWritten } from './nothing-written.ts';

const says = (program: string, line: object): HistoryEvent => ({
  kind: 'output',
  at: 0,
  program,
  stream: 'stdout',
  text: JSON.stringify(line),
});

const tried = (outcomes: Readonly<Record<string, Readonly<Record<string, number>>>> = {}) =>
  says('writer', {
    event: 'tried',
    outcomes: { create: { EROFS: 8, ENOTCONN: 2 }, unlink: { EROFS: 10 }, rename: { EROFS: 10 }, ...outcomes },
  });

const judge = (...history: readonly HistoryEvent[]) => nothingIsWritten(new Timeline(history), { writers: ['writer'] });

describe('nothingIsWritten', () => {
  it('passes if every attempt was refused, and counts them', () => {
    expect(judge(tried())).toMatchObject({ verdict: 'pass', claims: ['L2'] });
    expect(judge(tried()).says).toContain('refused 28 times');
  });

  it('passes if a rename met two mounts, the old one and the new one', () => {
    expect(judge(tried({ rename: { EROFS: 9, EXDEV: 1 } })).verdict).toBe('pass');
  });

  it.each([
    ['a write got through', says('writer', { event: 'written', call: 'create' })],
    ['the daemon was given a write', says('ns/fuse-1/jindofs-fuse', { event: 'write', op: 'unlink', path: '/myfile' })],
    ['unlink came as far as the daemon', tried({ unlink: { EROFS: 9, ENOTCONN: 1 } })],
    ['rename came as far as the directory below', tried({ rename: { EROFS: 9, ENOENT: 1 } })],
  ])('fails if %s', (_, event) => {
    expect(judge(tried(), event).verdict).toBe('fail');
  });

  it.each([
    ['the writer reported nothing', []],
    ['the writer was never refused', [tried({ create: { ENOTCONN: 1 }, unlink: {}, rename: {} })]],
  ] as const)('is inconclusive if %s', (_, history) => {
    expect(judge(...history).verdict).toBe('inconclusive');
  });
});
