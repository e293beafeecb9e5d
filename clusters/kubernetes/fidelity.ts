import type { Fidelity } from '../../src/timeline/record.ts';
import { resyncPeriod } from './agent-control.ts';
import type { NodeLink } from './node-link.ts';

/** What is real on a cluster, with what the verbs of scenarios have changed about it. */
export function withNodes(fidelity: Fidelity, nodes: readonly NodeLink[]): Fidelity {
  const period = { part: 'period of the node agent', is: `RECOVER_FUSE_PERIOD=${resyncPeriod}`, fake: false };
  const clocks = nodes.map(({ facts, clock }) => ({
    part: `clock of ${facts.node}`,
    is:
      clock.errorNs === 0
        ? 'the same as that of the machine that judges'
        : `its times are moved by ${milliseconds(-clock.offsetNs)}, measured to within ${milliseconds(clock.errorNs)}`,
    fake: false,
  }));
  return { ...fidelity, parts: [...fidelity.parts, period, ...clocks] };
}

const milliseconds = (ns: number) => `${(ns / 1e6).toFixed(2)} ms`;
