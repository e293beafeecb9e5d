import type { Mutant } from './mutant.ts';

const backoff = 'fakes/kubelet/restarts.ts';

/**
 * Breakages of what stands around the subject: claims about the kubelet, Fluid and credentials are no promises of the agent, and
 * a check of them has to notice all the same.
 */
export const standInMutants: readonly Mutant[] = [
  {
    name: 'the kubelet waits ten seconds more each time instead of twice as long',
    claim: 'L5',
    edits: [{ file: backoff, search: 'known.delayMs * 2', replacement: 'known.delayMs + initialDelayMs' }],
    judges: [{ scenarios: '@L5 and @needs:scaled-clock' }],
  },
  {
    name: 'the kubelet never forgets a crash',
    claim: 'L5',
    edits: [{ file: backoff, search: '<= forgottenAfterMs', replacement: '<= 1000 * forgottenAfterMs' }],
    judges: [{ scenarios: '@L5 and @needs:scaled-clock' }],
  },
  {
    name: 'the daemon prints its credentials',
    claim: 'D1',
    edits: [
      {
        file: 'fakes/fuse/daemon.ts',
        search: "if (typeof credentials === 'string') return refuse(usage, credentials);",
        replacement:
          "if (typeof credentials === 'string') return refuse(usage, credentials);\n  emit('credentials', { ...credentials });",
      },
    ],
    judges: [{ scenarios: '@D1' }],
  },
  {
    name: 'replicas is not looked at',
    claim: 'D3',
    edits: [
      {
        file: 'fakes/fluid/validate-runtime.ts',
        search: 'replicas: parsed.data.replicas ?? 1',
        replacement: 'replicas: 1',
      },
    ],
    judges: [{ scenarios: '@D3' }],
  },
  {
    name: 'any kind of cache is accepted',
    claim: 'D4',
    edits: [
      {
        file: 'fakes/fluid/validate-runtime.ts',
        search: "mediumtype: oneOf(['HDD', 'SSD', 'MEM'])",
        replacement: "mediumtype: oneOf(['HDD', 'SSD', 'MEM', 'NVME'])",
      },
    ],
    judges: [{ scenarios: '@D4' }],
  },
  {
    name: 'a mount point with an endpoint is accepted',
    claim: 'D5',
    edits: [
      { file: 'fakes/fluid/validate-dataset.ts', search: '/[.:@]/.test(bucket)', replacement: '/[:@]/.test(bucket)' },
      { file: 'fakes/fluid/validate-dataset.ts', search: '[a-z0-9-]{1,61}', replacement: '[a-z0-9.-]{1,61}' },
    ],
    judges: [{ scenarios: '@D5' }],
  },
];
