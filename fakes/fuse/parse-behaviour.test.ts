import { describe, expect, it } from 'vitest';
import { delayFor } from './behaviour.ts';
import { parseBehaviour } from './parse-behaviour.ts';

describe('parseBehaviour', () => {
  it('accepts every key', () => {
    const behaviour = {
      onTerm: 'exit',
      delayMs: { read: 20 },
      hang: ['getattr'],
      errno: { read: 'EIO' },
      wrongBytes: true,
      readyAfterMs: 100,
      exitAfterOps: 3,
      entryTimeoutSeconds: 0,
      attributeTimeoutSeconds: 0.5,
      empty: true,
    };
    expect(parseBehaviour(JSON.stringify(behaviour))).toEqual({ ok: true, behaviour });
    expect(parseBehaviour('{}')).toEqual({ ok: true, behaviour: {} });
  });

  it.each([
    ['{', '--behaviour={ is not JSON'],
    ['[]', '--behaviour: Invalid input'],
    ['{"hangs":["read"]}', 'Unrecognized key: "hangs"'],
    ['{"hang":["reed"]}', 'hang: 0: Invalid option: expected one of "init"'],
    ['{"errno":{"read":"EWHATEVER"}}', 'errno: read: is not the name of an errno'],
    ['{"delayMs":-1}', 'delayMs: '],
    ['{"onTerm":"ignore"}', 'onTerm: Invalid option: expected one of "unmount"|"exit"'],
  ])('refuses %s and says what is wrong, in one line', (json, sentence) => {
    const parsed = parseBehaviour(json);
    expect(parsed).toEqual({ ok: false, message: expect.stringContaining(sentence) });
    expect(parsed.ok ? '' : parsed.message).not.toContain('\n');
  });
});

describe('delayFor', () => {
  it('applies to all operations, or to single ones', () => {
    expect([delayFor({ delayMs: 7 }, 'read'), delayFor({ delayMs: 7 }, 'open')]).toEqual([7, 7]);
    expect([delayFor({ delayMs: { read: 7 } }, 'read'), delayFor({ delayMs: { read: 7 } }, 'open')]).toEqual([7, 0]);
    expect(delayFor({}, 'read')).toBe(0);
  });
});
