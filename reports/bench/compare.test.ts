import { describe, expect, it } from 'vitest';
import { compareDefaults, comparePhase } from './compare.ts';
import recorded from './fixtures/recorded.json' with { type: 'json' };
import { benchPhases } from './phases.ts';
import { seededRandom } from './statistics.ts';

const phaseOf = (name: string) => benchPhases.filter((phase) => phase.name === name);
const [agentPart] = phaseOf('ready-to-readable');
if (!agentPart) throw new Error('no such phase');
const crashes = 200;
const resampling = { ...compareDefaults, times: 500 };
const tries = Array.from({ length: 20 }, (_, index) => index + 1);

/** A run as it might have come out on the same machine: each crash is one of those that were recorded. */
function another(samples: readonly number[], random: () => number): readonly number[] {
  return Array.from({ length: crashes }, () => samples[Math.floor(random() * samples.length)] ?? 0);
}

/** Resamples both recorded runs. */
const two = (runs: readonly (readonly number[])[], seed: number) => {
  const random = seededRandom(seed);
  return [another(runs[0] ?? [], random), another(runs.at(-1) ?? [], random)] as const;
};

describe.each(tries)('two runs of the same, resampled from what was recorded, try %i', (seed) => {
  const verdictOf = (name: keyof typeof recorded) =>
    phaseOf(name).map((phase) => comparePhase(phase, two(recorded[name], seed), { ...resampling, seed }).verdict);

  it('are the same in what the agent has in its hands', () => {
    expect([verdictOf('ready-to-readable'), verdictOf('pod')]).toEqual([['same'], ['same']]);
  });

  it('are not called different in what a busy machine makes of the rest', () => {
    expect(['same', 'cannot tell']).toContain(verdictOf('outage')[0]);
  });
});

describe.each(tries)('two recorded runs of the same code, try %i', (seed) => {
  it.each(['ready-to-readable', 'pod'] as const)('are the same: %s', (name) => {
    const [before = [], after = []]: readonly (readonly number[])[] = recorded[name];
    const verdicts = phaseOf(name).map(
      (phase) => comparePhase(phase, [before, after], { ...resampling, seed }).verdict,
    );
    expect(verdicts).toEqual(['same']);
  });
});

describe.each(tries)('a slowdown of 20 ms in the agent, try %i', (seed) => {
  const [before, after] = two(recorded['ready-to-readable'], seed);
  const slower = after.map((sample) => sample + 20);

  it('is found', () => {
    expect(comparePhase(agentPart, [before, slower], { ...resampling, seed }).verdict).toBe('worse');
  });

  it('is found to be gone again', () => {
    expect(comparePhase(agentPart, [slower, before], { ...resampling, seed }).verdict).toBe('better');
  });
});

describe('a comparison', () => {
  const steady = Array.from({ length: 100 }, (_, index) => 5 + (index % 10) / 10);

  it('finds what one crash in five suffers', () => {
    const some = steady.map((sample, index) => sample + (index % 5 === 0 ? 50 : 0));
    expect(comparePhase(agentPart, [steady, some], compareDefaults).verdict).toBe('worse');
  });

  it('does not call a difference that does not matter one', () => {
    const little = steady.map((sample) => sample + 0.5);
    expect(comparePhase(agentPart, [steady, little], compareDefaults).verdict).toBe('same');
  });

  it('says nothing of a handful of crashes', () => {
    const few = steady.slice(0, 7);
    expect(comparePhase(agentPart, [few, few.map((sample) => sample + 100)], compareDefaults).verdict).toBe(
      'cannot tell',
    );
  });

  it('cannot tell where what was measured is too wide', () => {
    const wide = Array.from({ length: 12 }, (_, index) => index * 40);
    expect(comparePhase(agentPart, [wide, wide], compareDefaults).verdict).toBe('cannot tell');
  });
});
