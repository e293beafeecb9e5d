import type { Capability, RunningCluster } from '../../clusters/cluster.ts';
import { type Profile, recovers } from '../profiles/profile.ts';

/** Capability that each tag `@needs:...` requires, and the reason for a skip without it. */
const needs: Readonly<Record<string, { readonly capability: Capability; readonly reason: string }>> = {
  '@needs:kubectl': {
    capability: 'kubectl',
    reason: 'needs kubectl on the PATH',
  },
  '@needs:scaled-clock': {
    capability: 'scaled-clock',
    reason: 'takes half an hour of a kubelet whose clock cannot be scaled',
  },
  '@needs:quick-restarts': {
    capability: 'scaled-clock',
    reason: "takes minutes of a real kubelet's back-off, which the scenario of L5 goes through",
  },
  '@needs:two-nodes': {
    capability: 'two-nodes',
    reason: 'needs two nodes with an agent each (--nodes 2)',
  },
  '@needs:real-kubelet': {
    capability: 'real-kubelet',
    reason: "needs Kubernetes' own kubelet",
  },
  '@needs:kubelet-restart': {
    capability: 'kubelet-restart',
    reason: 'needs a kubelet that may be restarted, on a node that was made for the run',
  },
  '@needs:last-release': {
    capability: 'last-release',
    reason: 'needs a cluster by kind or minikube, and a clone whose history has the last release',
  },
  '@needs:helm': {
    capability: 'helm',
    reason: 'needs a cluster by kind or minikube, and helm on the PATH',
  },
  '@needs:idmapped-fuse': {
    capability: 'idmapped-fuse',
    reason: 'needs pods with users of their own, on nodes whose kernel can idmap a FUSE mount (Linux 6.12)',
  },
  '@needs:takeover': {
    capability: 'takeover',
    reason: 'needs a keeper of FUSE connections, and a kernel that sends unanswered requests again (Linux 6.9)',
  },
  '@needs:memory-cgroups': {
    capability: 'memory-cgroups',
    reason: 'needs memory cgroups that can be written, as root has them',
  },
  '@needs:abort-connection': {
    capability: 'abort-connection',
    reason: "needs a way to abort a FUSE connection from the node's side",
  },
  '@needs:agent-death': {
    capability: 'agent-death',
    reason: 'needs an agent that can be made to end between two system calls',
  },
  '@needs:agent-flags': {
    capability: 'agent-flags',
    reason: "needs Rekindle's own agent, whose flags can be changed",
  },
  '@needs:mount-beneath': {
    capability: 'mount-beneath',
    reason: 'needs an agent that mounts beneath (Linux 6.5, and no lower --kernel-tier)',
  },
  '@needs:node-reboot': {
    capability: 'node-reboot',
    reason: 'needs a node that may be switched off and on',
  },
  '@needs:fake-daemon': {
    capability: 'fake-daemon',
    reason: 'needs the fake FUSE daemon, whose behaviour can be set',
  },
  '@needs:store-faults': {
    capability: 'store-faults',
    reason: 'needs a way to the object store that can be made to fail',
  },
};

/** Returns why a scenario with these tags cannot run on the cluster; undefined if it can. */
export function missingFor(tags: readonly string[], cluster: Pick<RunningCluster, 'capabilities'>): string | undefined {
  if (tags.some((tag) => tag.startsWith('@node:')) && !cluster.capabilities.has('node-conditions'))
    return 'needs a node whose conditions can be chosen, as in the sandbox';
  return tags.map((tag) => needs[tag]).find((need) => need && !cluster.capabilities.has(need.capability))?.reason;
}

/** Returns why a scenario does not apply to an agent that is not Rekindle's own, which has a command. */
export function unfitFor(tags: readonly string[], command: readonly string[] | undefined): string | undefined {
  const needsOurs = tags.some((tag) => tag === '@needs:agent-death' || tag === '@needs:agent-flags');
  return needsOurs && command !== undefined ? "needs Rekindle's own agent, which the profile replaces" : undefined;
}

/** A scenario's step texts and tags. */
export interface Outline {
  readonly steps: readonly string[];
  readonly tags: readonly string[];
}

/** Promises that scenarios ask for by tag, and why they are skipped without. */
const promised: readonly {
  readonly tag: string;
  readonly isGiven: (promises: Profile['promises']) => boolean;
  readonly reason: string;
}[] = [
  {
    tag: '@promises:no-read-write',
    isGiven: ({ readWriteScope }) => readWriteScope !== 'recover',
    reason: 'the profile promises to recover read-write datasets',
  },
  {
    tag: '@promises:no-sub-path',
    isGiven: ({ subPath }) => subPath === 'refuse',
    reason: 'the profile promises nothing about subPath',
  },
  {
    tag: '@promises:sub-path',
    isGiven: ({ subPath }) => subPath === 'recover',
    reason: 'the profile does not promise to recover pods with subPath',
  },
  {
    tag: '@promises:durable-writes',
    isGiven: ({ writes }) => writes === 'durable',
    reason: 'the profile promises nothing about writes',
  },
  {
    tag: '@promises:standby',
    isGiven: ({ standby }) => standby,
    reason: 'the profile promises nothing about standbys',
  },
  {
    tag: '@promises:explanations',
    isGiven: ({ explainsRefusals }) => explainsRefusals,
    reason: 'the profile does not promise to explain refusals',
  },
];

const classTag = '@class:';

/** Where the FUSE process of a volume is, by tag. */
const placesOfProcesses: Readonly<Record<string, (process: Profile['process']) => boolean>> = {
  '@process:in-plugin': (process) => process?.plugin !== undefined,
  '@process:apart': (process) => process?.plugin === undefined,
};

/**
 * Returns why a scenario does not apply to an implementation that does not promise what it is about. Without recovery, those apply
 * in which recovery is neither turned on nor done by a sidecar: the pod stays broken, as documented.
 */
export function unpromisedIn(
  { steps, tags }: Outline,
  { promises, volume, gate, process }: Pick<Profile, 'promises' | 'volume' | 'gate' | 'process'>,
): string | undefined {
  if (volume && tags.includes('@dataset')) return "is about a Dataset, which the profile's volume is not";
  const classes = tags.filter((tag) => tag.startsWith(classTag)).map((tag) => tag.slice(classTag.length));
  if (classes.length > 0 && !classes.includes(promises.class))
    return `is about the ${classes.length === 1 ? 'class' : 'classes'} ${classes.join(', ')}, and the profile promises ${promises.class}`;
  const place = tags.find((tag) => placesOfProcesses[tag]?.(process) === false);
  if (place) return `is about FUSE processes ${place === '@process:apart' ? 'apart from' : 'in'} the node plugin`;
  if (gate === 'none' && steps.some((text) => turnsGate.test(text)))
    return 'the profile has no gate to turn on and off';
  const turnsItOn = steps.some((text) => /^FUSE recovery is (enabled|turned on)/.test(text));
  const ofSidecars = tags.some((tag) => /^@V\d$/.test(tag));
  if (!recovers(promises) && (turnsItOn || ofSidecars)) return 'the profile promises no recovery';
  return promised.find(({ tag, isGiven }) => tags.includes(tag) && !isGiven(promises))?.reason;
}

/** Steps that leave the gate otherwise than it is while recovery is enabled. */
const turnsGate = /^FUSE recovery is (turned|as it is by default)|^the documented command turns the gate/;
