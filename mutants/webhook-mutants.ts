import type { Mutant } from './mutant.ts';

/** Breakages of the admission webhook. */
export const webhookMutants: readonly Mutant[] = [
  {
    name: 'a labelled pod with subPath is let through',
    claim: 'L3',
    edits: [
      {
        file: 'recovery/webhook/admit.ts',
        search: 'if (subPath === undefined) return [];',
        replacement: 'if (subPath === undefined || subPath.path !== undefined) return [];',
      },
    ],
    judges: [{ scenarios: '@L3 and not @fault:sigkill and not @fault:pod-delete' }],
  },
  {
    name: 'a labelled pod whose init container has a subPath is let through',
    claim: 'L3',
    edits: [
      {
        file: 'recovery/webhook/pod.ts',
        search: "export const containerKinds = ['initContainers', 'containers']",
        replacement: "export const containerKinds = ['containers', 'ephemeralContainers']",
      },
    ],
    judges: [{ scenarios: '@L3 and not @fault:sigkill and not @fault:pod-delete' }],
  },
  {
    name: 'labelled pods are created unseen while the webhook does not answer',
    claim: 'L3',
    edits: [
      {
        file: 'recovery/webhook/registration.ts',
        search: "failurePolicy: 'Fail'",
        replacement: "failurePolicy: 'Ignore'",
      },
    ],
    judges: [{ scenarios: '@L3 and not @fault:sigkill and not @fault:pod-delete' }],
  },
  {
    name: 'a labelled pod of a read-write dataset is created without a warning',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/webhook/admit.ts',
        search: 'return [...readWrite, ...dataset.mounts',
        replacement: 'return [...readWrite.slice(1), ...dataset.mounts',
      },
    ],
    judges: [{ scenarios: '@L2 and not @fault:sigkill and not @fault:pod-delete' }],
  },
  {
    name: 'a serverless pod gets no sidecar',
    claim: 'V1',
    edits: [
      {
        file: 'recovery/webhook/mutate.ts',
        search: 'return planSidecars(pod, facts).patch;',
        replacement: 'return planSidecars(pod, facts).patch.slice(0, 0);',
      },
    ],
    // In the sandbox such a pod is never ready, so that its scenario does not even begin.
    judges: [{ test: 'recovery/webhook/mutate.test.ts' }],
  },
  {
    name: 'the sidecar has another name than the document says',
    claim: 'V1',
    edits: [
      {
        file: 'recovery/webhook/sidecar.ts',
        search: 'name: `fluid-fuse-',
        replacement: 'name: `fuse-',
      },
    ],
    judges: [{ scenarios: '@V1' }],
  },
  {
    name: 'a sidecar recovers without the annotation',
    claim: 'V2',
    edits: [
      {
        file: 'recovery/webhook/sidecar-plan.ts',
        search: 'const recover = requestsRecovery(pod) && readOnly',
        replacement: 'const recover = readOnly',
      },
    ],
    judges: [{ scenarios: '@V2' }],
  },
  {
    name: 'a sidecar never recovers',
    claim: 'V3',
    edits: [
      {
        file: 'recovery/webhook/sidecar.ts',
        search: "value: recover ? 'auto' : 'none' }",
        replacement: "value: recover ? 'none' : 'none' }",
      },
    ],
    judges: [{ scenarios: '@V3' }],
  },
  {
    name: 'the mount of a sidecar can be written to',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/webhook/sidecar.ts',
        search: '...(readOnly ? [{ name: sidecarEnvironment.readOnly',
        replacement: '...(readOnly && recover === undefined ? [{ name: sidecarEnvironment.readOnly',
      },
    ],
    judges: [{ scenarios: '@V3 or @V1' }, { test: 'recovery/webhook/mutate.test.ts' }],
  },
];
