import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import type { PackedHappening } from '../page/packed.ts';
import { isTold, tell } from './happening.ts';
import type { Place } from './lanes.ts';
import { isContradicted, truthTeller } from './truth.ts';

const shown = 1000;

/** Everything that happened but the probes' results and the output, each next to what was true at that instant. */
export function happeningsOf(
  digest: ScenarioDigest,
  place: Place,
): { readonly list: PackedHappening[]; readonly left: number } {
  const told = digest.events.filter(isTold).filter((event) => !(event.kind === 'agent' && event.event === 'passed'));
  const truthAt = truthTeller(digest);
  const shorten = shortener(digest);
  let crash: number | undefined;
  const list = told.slice(0, shown).map((event): PackedHappening => {
    if (event.kind === 'fault' && event.phase === 'injected') crash = event.at;
    const { who, says, shape, look } = tell(event);
    const truth = truthAt(event.at);
    return {
      at: place(event.at),
      ...(crash === undefined ? {} : { after: place(event.at) - place(crash) }),
      who,
      says: shorten(says),
      shape,
      look,
      truth: truth.says,
      ...(isContradicted(event, truth) ? { contradicted: true } : {}),
    };
  });
  return { list, left: Math.max(0, told.length - shown) };
}

/** Each scenario has a namespace of its own, whose long name says nothing within it. */
function shortener({ probes }: ScenarioDigest): (text: string) => string {
  const [namespace = ''] = probes[0]?.probe.split('/') ?? [];
  if (!namespace.startsWith('rk-')) return (text) => text;
  return (text) => text.replaceAll(`${namespace}/`, '').replaceAll(`${namespace}-`, '').replaceAll(namespace, '…');
}
