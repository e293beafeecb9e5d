import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { PackedScenario } from '../page/packed.ts';

const shown = 12;

/** A timeline in words, for those who cannot see it. */
export function describeData({ from, to, windows, probes, lanes }: PackedScenario): string {
  const saw = probes.map(({ name, results, hangs }) => {
    const said = [...results.map((result) => `${result.name} × ${result.count}`), ...hangs.map(({ title }) => title)];
    return `Probe in ${name}: ${said.slice(0, shown).join(', ')}`;
  });
  const did = lanes.map(({ name, marks }) => {
    const counted = groupBy(marks, (mark) => mark.label ?? '');
    const said = [...counted].flatMap(([label, own]) =>
      label === '' ? [] : `${label}${own.length > 1 ? ` ${own.length} times` : ''}`,
    );
    return said.length === 0 ? '' : `${name}: ${said.slice(0, shown).join(', ')}`;
  });
  const shaded = windows.map(({ says }) => says);
  const parts = [...shaded.slice(0, shown), ...saw.slice(0, shown), ...did.filter((part) => part).slice(0, shown)];
  return `${formatNs((to - from) * 1e3)}. ${parts.join('. ')}.`;
}
