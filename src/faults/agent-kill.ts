import type { AgentDeath } from '../../clusters/cluster.ts';
import { type Fault, now, over, until } from './fault.ts';

export const agentKill: Fault = {
  name: 'agent-kill',
  title: 'SIGKILL to the node agent, before a crash, while the daemon is down, or after a recovery',
  claims: ['C3'],
  expected: 'the next agent knows as much as the old one: the pod reads again, and is not restarted',
  isCrash: false,
  goesWithAny: true,
  inject: async ({ cluster }) => over(await cluster.killAgent()),
};

/** Ends the agent in the middle of the next recovery of one pod: its target path and its container's mount are two places. */
function agentKillAt(point: Pick<Fault, 'name' | 'title'> & { readonly before: AgentDeath }): Fault {
  return {
    ...point,
    claims: ['C3', 'L1'],
    expected:
      'the next agent finishes what was begun: the pod reads again, is not restarted, and no mount is left over',
    isCrash: false,
    async inject({ cluster, agent }) {
      await cluster.restartAgent({ ...agent, diesBefore: point.before });
      return until(now(), () => cluster.restartAgent(agent));
    },
  };
}

export const agentKillMidway = agentKillAt({
  name: 'agent-kill-midway',
  title: "SIGKILL to the node agent after one of the node's target path and the container's mount is replaced",
  before: { call: 'attach', count: 2 },
});

export const agentKillHalfDone = agentKillAt({
  name: 'agent-kill-half-done',
  title: 'SIGKILL to the node agent between beneath and detach at the first place: alive below, dead on top',
  before: { call: 'detach', count: 1 },
});

export const agentKillHalfDoneLast = agentKillAt({
  name: 'agent-kill-half-done-last',
  title: 'SIGKILL to the node agent between beneath and detach at the last place: alive below, dead on top',
  before: { call: 'detach', count: 2 },
});

export const agentUpgrade: Fault = {
  name: 'agent-upgrade',
  title: 'the node agent is ended as by a rollout, and the next one comes later',
  claims: ['C3'],
  expected: 'what broke meanwhile is mended by the next agent: the pod reads again, and is not restarted',
  isCrash: false,
  goesWithAny: true,
  async inject({ cluster }) {
    const at = now();
    const stopped = await cluster.stopAgent();
    return until(at, () => stopped[Symbol.asyncDispose]());
  },
};
