import type { Fault } from './fault.ts';
import { kill1 } from './kill-1.ts';
import { sigkill } from './sigkill.ts';

/** All faults, by the name that `--fault` takes. */
export const faults: ReadonlyMap<string, Fault> = new Map([kill1, sigkill].map((fault) => [fault.name, fault]));
