import { type AgentDeath, requireMember } from '../../clusters/cluster.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { type Fault, lasting, momentary } from './fault.ts';

export const agentKill: Fault = {
  name: 'agent-kill',
  step: 'the node agent is killed',
  title: 'SIGKILL to the node agent, before a crash, while the daemon is down, or after a recovery',
  claims: ['C3'],
  expected: 'the next agent knows as much as the old one: the pod reads again, and is not restarted',
  isCrash: false,
  goesWithAny: true,
  inject: async ({ cluster }) => momentary(await cluster.killAgent()),
};

/** Ends the agent in the middle of the next recovery of a pod, whose target path and container mount are two mount sites. */
function agentKillBefore(death: AgentDeath, fault: Pick<Fault, 'name' | 'step' | 'title'>): Fault {
  return {
    ...fault,
    claims: ['C3', 'L1'],
    expected:
      'the next agent finishes what was begun: the pod reads again, is not restarted, and no mount is left over',
    isCrash: false,
    async inject({ cluster, agent }) {
      await cluster.restartAgent({ ...agent, diesBefore: death });
      return lasting(monotonicNow(), () => cluster.restartAgent(agent));
    },
  };
}

export const agentKillMidway = agentKillBefore(
  { call: 'attach', count: 2 },
  {
    name: 'agent-kill-midway',
    step: 'the node agent is set to die after it has replaced one of the two mounts of the pod',
    title: "SIGKILL to the node agent after one of the node's target path and the container's mount is replaced",
  },
);

export const agentKillHalfDone = agentKillBefore(
  { call: 'detach', count: 1 },
  {
    name: 'agent-kill-half-done',
    step: 'the node agent is set to die between beneath and detach of the first mount',
    title: 'SIGKILL to the node agent between beneath and detach at the first mount site: alive below, dead on top',
  },
);

export const agentKillHalfDoneLast = agentKillBefore(
  { call: 'detach', count: 2 },
  {
    name: 'agent-kill-half-done-last',
    step: 'the node agent is set to die between beneath and detach of the last mount',
    title: 'SIGKILL to the node agent between beneath and detach at the last mount site: alive below, dead on top',
  },
);

export const agentUpgrade: Fault = {
  name: 'agent-upgrade',
  step: 'the node agent is ended for an upgrade',
  title: 'the node agent is ended as by a rollout, and the next one comes later',
  claims: ['C3'],
  expected: 'the next agent repairs what broke meanwhile: the pod reads again, and is not restarted',
  isCrash: false,
  goesWithAny: true,
  async inject({ cluster }) {
    const at = monotonicNow();
    const stopped = await cluster.stopAgent();
    return lasting(at, () => stopped[Symbol.asyncDispose]());
  },
};

export const keeperKill: Fault = {
  name: 'keeper-kill',
  step: 'the keeper is killed',
  title: 'SIGKILL to the keeper of FUSE connections, which is started again, as by an upgrade',
  claims: [],
  expected: 'living daemons give the next keeper their connections; those that were kept without a daemon end',
  isCrash: false,
  inject: async ({ cluster }) => momentary(await requireMember(cluster, 'killKeeper')()),
};
