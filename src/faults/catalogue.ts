import * as agent from './agent.ts';
import * as application from './application.ts';
import * as circumstances from './circumstances.ts';
import * as daemon from './daemon.ts';
import type { Fault } from './fault.ts';
import * as node from './node.ts';
import { together } from './together.ts';

/** Every fault that one of these files exports, file by file in order of names. */
const all: readonly Fault[] = [daemon, agent, application, node, circumstances].flatMap((group) =>
  Object.values<unknown>(group)
    .filter(isFault)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
);

function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && 'inject' in value;
}

/** All faults, by name. */
export const faults: ReadonlyMap<string, Fault> = new Map(all.map((fault) => [fault.name, fault]));

/** Names that `rekindle crash --fault` accepts. */
export const crashFaults: readonly string[] = all.filter(({ isCrash }) => isCrash).map(({ name }) => name);

/** Names that it accepts in combination with one of these. */
export const companions: readonly string[] = all
  .filter(({ goesWithAny }) => goesWithAny === true)
  .map(({ name }) => name);

/** Finds a fault by name, or combines several: `agent-kill+sigkill`. Undefined if a name is unknown. */
export function faultNamed(names: string): Fault | undefined {
  const parts = names.split('+').map((name) => faults.get(name));
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  return known.length === 1 ? known[0] : together(known);
}
