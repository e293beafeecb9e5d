import { agentKill, agentKillHalfDone, agentKillHalfDoneLast, agentKillMidway, agentUpgrade } from './agent.ts';
import { appRestart, drain, newPod, podDeleteWhileDead } from './application.ts';
import { emptyDataset, manyPods, openFile, twoDatasets, volumeBelow } from './circumstances.ts';
import {
  abort,
  crashDuringRecovery,
  crashLoop,
  hang,
  hangOperation,
  kill1,
  oom,
  podDelete,
  sigkill,
} from './daemon.ts';
import type { Fault } from './fault.ts';
import { kubeletRestart, nodeReboot, storeDown, storeSlow } from './node.ts';
import { together } from './together.ts';

const all: readonly Fault[] = [
  kill1,
  sigkill,
  oom,
  abort,
  podDelete,
  crashDuringRecovery,
  crashLoop,
  hang,
  hangOperation,
  agentKill,
  agentKillMidway,
  agentKillHalfDone,
  agentKillHalfDoneLast,
  agentUpgrade,
  appRestart,
  newPod,
  podDeleteWhileDead,
  drain,
  nodeReboot,
  kubeletRestart,
  storeDown,
  storeSlow,
  twoDatasets,
  manyPods,
  emptyDataset,
  volumeBelow,
  openFile,
];

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
