import { abort } from './abort.ts';
import { agentKill, agentKillHalfDone, agentKillHalfDoneLast, agentKillMidway, agentUpgrade } from './agent-kill.ts';
import { appRestart, newPod } from './application.ts';
import { emptyDataset, manyPods, openFile, twoDatasets, volumeBelow } from './circumstances.ts';
import { crashDuringRecovery, crashLoop } from './crash-again.ts';
import type { Fault } from './fault.ts';
import { hang, hangOneOperation } from './hang.ts';
import { kill1 } from './kill-1.ts';
import { kubeletRestart } from './kubelet-restart.ts';
import { nodeReboot } from './node-reboot.ts';
import { oom } from './oom.ts';
import { drain, podDelete, podDeleteWhileDead } from './pod-delete.ts';
import { sigkill } from './sigkill.ts';
import { storeDown, storeSlow } from './store.ts';
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
  hangOneOperation,
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

const namesOf = (some: readonly Fault[]) => some.map(({ name }) => name);

/** Those that `rekindle crash --fault` takes. */
export const crashFaults: readonly string[] = namesOf(all.filter(({ isCrash }) => isCrash));

/** Those that it takes beside one of them. */
export const companions: readonly string[] = namesOf(all.filter(({ goesWithAny }) => goesWithAny === true));

/** A fault by its name, or several that come together: `agent-kill+sigkill`. Undefined where one of them is none. */
export function faultNamed(names: string): Fault | undefined {
  const parts = names.split('+').map((name) => faults.get(name));
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  return known.length === 1 ? known[0] : together(known);
}
