import { expect, it } from 'vitest';
import { placeChecks, placeCommand, places } from './places.ts';
import { placesAsMarkdown } from './results.ts';

const bare = { name: 'bare', description: 'a place' };

it('judges every documented promise only if a place is to show all', () => {
  expect(placeCommand(bare)).toContain('features/5-crash-and-recovery.feature');
  expect(placeCommand({ ...bare, whole: true })).not.toContain('features/');
  expect(placeCommand(bare, true)).not.toContain('make conform');
});

it('installs everything before a place is cut off', () => {
  const command = placeCommand({ ...bare, afterInstallation: 'cut-off' });
  expect(command.indexOf('make test')).toBeLessThan(command.indexOf('cut-off'));
  expect(command.indexOf('cut-off')).toBeLessThan(command.indexOf('make doctor'));
});

it('lists each place and system once, those that were not tried as such', () => {
  const check = { name: 'doctor', outcome: 'passed', summary: 'a | b' } as const;
  const table = placesAsMarkdown([{ place: 'umask', date: '2026-11-30', checks: [check] }]).split('\n');
  expect(table).toContain('| `umask` | umask 077 | 2026-11-30 | doctor passed: a / b |');
  expect(table).toContain('| | Ubuntu | | not tried |');
  expect(new Set(places.map(({ name }) => name)).size).toBe(places.length);
  expect(placeChecks(bare).map(({ name }) => name)).toEqual(['doctor', 'conform', 'tests']);
});
