import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import {
  emptyKeeping,
  type Keeping,
  type KeepingEffect,
  type KeepingEvent,
  type KeptDescriptor,
  type Peer,
  stepKeeping,
} from './keeping.ts';

const deadline = 20n as Nanoseconds;
const first: Peer = { connection: 1, pid: 101 };
const second: Peer = { connection: 2, pid: 102 };
const third: Peer = { connection: 3, pid: 103 };
const descriptor = (fd: number): KeptDescriptor => ({ descriptor: fd, setting: `s${fd}`, device: '0:9' as DeviceId });
const connected = (peer: Peer): KeepingEvent => ({ kind: 'connected', peer });
const exited = (peer: Peer): KeepingEvent => ({ kind: 'exited', peer });
const offered = (peer: Peer, fd: number): KeepingEvent => ({ kind: 'offered', peer, kept: descriptor(fd) });
const tick: KeepingEvent = { kind: 'tick' };

/** What the events make the keeper do, without its reports. Each event is one time unit after the one before. */
function play(...events: readonly KeepingEvent[]): { readonly keeping: Keeping; readonly effects: readonly string[] } {
  let keeping = emptyKeeping;
  const effects: string[] = [];
  for (const [index, event] of events.entries()) {
    const next = stepKeeping(keeping, event, { now: BigInt(index) as Nanoseconds, deadline });
    keeping = next.keeping;
    effects.push(...next.effects.flatMap(describeEffect));
  }
  return { keeping, effects };
}

function describeEffect(effect: KeepingEffect): readonly string[] {
  switch (effect.kind) {
    case 'greet':
      return [`${effect.message} to ${effect.peer.pid}`];
    case 'hand-over':
      return [`${effect.kept.descriptor} to ${effect.peer.pid}`];
    case 'refuse':
      return [`refused ${effect.peer.pid}: ${effect.sentence}`];
    case 'close':
      return [`close ${effect.descriptor}`];
    case 'report':
      return [];
  }
}

describe('stepKeeping', () => {
  const serving = [connected(first), offered(first, 5)];

  it('lets the first daemon mount, and keeps its descriptor', () => {
    const { keeping, effects } = play(...serving);
    expect(effects).toEqual(['nothing to 101']);
    expect(keeping).toMatchObject({ kept: { descriptor: 5 }, holder: first, successors: [] });
  });

  it('hands the descriptor of an ended daemon to the next one', () => {
    const { keeping, effects } = play(...serving, exited(first), connected(second), offered(second, 6));
    expect(effects.slice(1)).toEqual(['5 to 102', 'close 5']);
    expect(keeping).toMatchObject({ kept: { descriptor: 6 }, holder: second, orphanedAt: undefined });
  });

  it('lets a successor wait, and hands over at the end of the daemon', () => {
    const { effects } = play(...serving, connected(second), exited(first));
    expect(effects.slice(1)).toEqual(['wait to 102', '5 to 102']);
  });

  it('refuses a second successor, and the descriptor of a second daemon', () => {
    const { keeping, effects } = play(...serving, connected(second), connected(third), offered(second, 7));
    expect(effects.slice(2)).toEqual([
      expect.stringMatching(/^refused 103: process 102 waits already/),
      'close 7',
      expect.stringMatching(/^refused 102: process 101 serves this volume/),
    ]);
    expect(keeping.kept?.descriptor).toBe(5);
  });

  it('hands the descriptor on if the daemon that took it ends before it serves, and keeps the deadline of the first end', () => {
    const takeover = [...serving, exited(first), connected(second), exited(second), connected(third)];
    const { keeping, effects } = play(...takeover);
    expect(effects.slice(1)).toEqual(['5 to 102', '5 to 103']);
    expect(keeping.orphanedAt).toBe(2n);
  });

  it('closes the descriptor at the deadline, even if a daemon that does not serve has it', () => {
    const early = play(...serving, exited(first), ...Array.from({ length: 19 }, () => tick));
    expect(early.keeping.kept?.descriptor).toBe(5);
    const late = play(...serving, exited(first), connected(second), ...Array.from({ length: 19 }, () => tick));
    expect(late.effects.at(-1)).toBe('close 5');
    expect(late.keeping.kept).toBeUndefined();
  });

  it('keeps no deadline while a daemon serves', () => {
    const takeover = [...serving, exited(first), connected(second), offered(second, 6)];
    expect(play(...takeover, ...Array.from({ length: 99 }, () => tick)).keeping.kept?.descriptor).toBe(6);
  });

  it('lets the successor mount if the connection has ended', () => {
    const { keeping, effects } = play(...serving, connected(second), { kind: 'ended' });
    expect(effects.slice(2)).toEqual(['close 5', 'nothing to 102']);
    expect(keeping.kept).toBeUndefined();
  });

  it('lets the successor mount if the daemon that was to mount has ended before', () => {
    expect(play(connected(first), connected(second), exited(first)).effects).toEqual([
      'nothing to 101',
      'wait to 102',
      'nothing to 102',
    ]);
  });

  it('keeps the descriptor of a daemon whose socket has closed, until the process ends', () => {
    const disconnected: KeepingEvent = { kind: 'disconnected', peer: first };
    expect(play(...serving, disconnected).keeping).toMatchObject({ kept: { descriptor: 5 }, orphanedAt: undefined });
    expect(play(...serving, disconnected, exited(first)).keeping.orphanedAt).toBe(3n);
  });

  it('accepts a later connection of the same process, as a restarted keeper or JuiceFS makes', () => {
    const again = { connection: 9, pid: first.pid };
    const { keeping, effects } = play(...serving, connected(again), offered(again, 6));
    expect(effects.slice(1)).toEqual(['nothing to 101', 'close 5']);
    expect(keeping).toMatchObject({ kept: { descriptor: 6 }, holder: again });
  });

  it('closes what a daemon asks it to close, and nothing of another daemon', () => {
    expect(play(...serving, { kind: 'released', peer: second }).keeping.kept?.descriptor).toBe(5);
    expect(play(...serving, { kind: 'released', peer: first }).effects.at(-1)).toBe('close 5');
  });

  it('closes each descriptor once and hands none to a process while another has it', () => {
    const peers = [first, second, third];
    const arbitraryEvent = fc
      .tuple(fc.nat(6), fc.constantFrom(...peers))
      .map(([kind, peer]): readonly [number, Peer] => [kind, peer]);
    fc.assert(
      fc.property(fc.array(arbitraryEvent, { maxLength: 60 }), (choices) => {
        let keeping = emptyKeeping;
        let fd = 10;
        const open = new Set<number>();
        const holding = new Set<number>();
        for (const [time, [kind, peer]] of choices.entries()) {
          const events: readonly (() => KeepingEvent)[] = [
            () => connected(peer),
            () => offered(peer, ++fd),
            () => exited(peer),
            () => ({ kind: 'disconnected', peer }),
            () => ({ kind: 'released', peer }),
            () => ({ kind: 'ended' }),
            () => tick,
          ];
          const event = events[kind]?.() ?? tick;
          if (event.kind === 'offered') open.add(event.kept.descriptor);
          if (event.kind === 'exited') holding.delete(peer.pid);
          const next = stepKeeping(keeping, event, { now: BigInt(time) as Nanoseconds, deadline });
          keeping = next.keeping;
          for (const effect of next.effects) {
            if (effect.kind === 'close') expect(open.delete(effect.descriptor)).toBe(true);
            if (effect.kind !== 'hand-over') continue;
            expect(open.has(effect.kept.descriptor)).toBe(true);
            expect([...holding].filter((pid) => pid !== effect.peer.pid)).toEqual([]);
            holding.add(effect.peer.pid);
          }
          if (event.kind === 'ended' || next.effects.some(({ kind: each }) => each === 'close')) holding.clear();
          if (keeping.kept !== undefined && keeping.holder !== undefined) holding.add(keeping.holder.pid);
        }
        expect([...open]).toEqual(keeping.kept === undefined ? [] : [keeping.kept.descriptor]);
      }),
    );
  });
});
