import { clusterMutants } from './cluster-mutants.ts';
import type { Mutant } from './mutant.ts';
import { standInMutants } from './stand-in-mutants.ts';
import { webhookMutants } from './webhook-mutants.ts';

const engineTest = 'recovery/engine/engine.test.ts';
const successTest = 'recovery/engine/engine.success.test.ts';

/** Breakages of the engine, the kernel adapter and the agent. */
const agentMutants: readonly Mutant[] = [
  {
    name: 'success is claimed without a read',
    claim: 'L1',
    edits: [
      {
        file: 'recovery/engine/prove.ts',
        search: 'const failure = await readAsConsumer(kernel, snapshot, { site, source, deadline });',
        replacement: 'const failure = await Promise.resolve(undefined as Awaited<ReturnType<typeof readAsConsumer>>);',
      },
    ],
    judges: [{ test: successTest }],
  },
  {
    name: 'success is claimed as soon as the mount is replaced',
    claim: 'L1',
    edits: [
      {
        file: 'recovery/engine/apply.ts',
        search: "parts.recorder({ event: 'replaced', volume, site: diagnosis.site, took, layers });",
        replacement: "parts.recorder({ event: 'recovered', volume, site: diagnosis.site, took });",
      },
    ],
    judges: [{ test: successTest }],
  },
  {
    name: 'a read from another filesystem counts as a proof',
    claim: 'L1',
    edits: [
      {
        file: 'recovery/engine/prove.ts',
        search: 'if (answer.value === source.device) return undefined;',
        replacement: 'if (answer.value !== undefined) return undefined;',
      },
    ],
    judges: [{ test: 'recovery/engine/prove.test.ts' }],
  },
  {
    name: 'containers are never entered',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/engine/snapshot.ts',
        search: 'const sites = [...this.targetSites(volume), ...this.#containerSites(volume)];',
        replacement: 'const sites = [...this.targetSites(volume), ...this.#containerSites(volume).slice(0, 0)];',
      },
    ],
    judges: [{ scenarios: '@A1' }],
  },
  {
    name: 'no watch triggers a recovery',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/engine/engine.ts',
        search: "      this.#request('resync');\n",
        replacement: '',
      },
      {
        file: 'recovery/engine/engine.ts',
        search: 'this.#watches.use(kernel.watchMounts(() => this.#onMountChange()));',
        replacement: '',
      },
      {
        file: 'recovery/engine/engine.ts',
        search: "this.#watches.use(kubernetes.watch(() => this.#request('kubernetes')));",
        replacement: '',
      },
    ],
    judges: [{ scenarios: '@A1' }],
  },
  {
    name: 'recovery runs even if the gate is off',
    claim: 'E1',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: 'if (enabled) return undefined;',
        replacement: 'if (enabled || site) return undefined;',
      },
    ],
    judges: [{ scenarios: '@E1' }],
  },
  {
    name: 'the gate is on by default',
    claim: 'E1',
    edits: [
      {
        file: 'recovery/agent/flags.ts',
        search: "enabled: gates(value('feature-gates') ?? ''),",
        replacement: "enabled: gates(value('feature-gates') ?? 'FuseRecovery=true'),",
      },
    ],
    judges: [{ test: 'recovery/agent/flags.test.ts' }],
  },
  {
    name: 'the flag that turns the gate on is ignored',
    claim: 'E2',
    edits: [
      {
        file: 'recovery/agent/flags.ts',
        search: "enabled: gates(value('feature-gates') ?? ''),",
        replacement: "enabled: gates('FuseRecovery=false'),",
      },
    ],
    judges: [{ scenarios: '@A1' }],
  },
  {
    name: 'pods without the label are entered',
    claim: 'A2',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "return labels[recoveryLabel] === 'true';",
        replacement: "return labels[recoveryLabel] !== 'false';",
      },
    ],
    judges: [{ scenarios: '@A2' }],
  },
  {
    name: 'the label enables recovery with any value',
    claim: 'A2',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "return labels[recoveryLabel] === 'true';",
        replacement: 'return recoveryLabel in labels;',
      },
    ],
    judges: [{ scenarios: '@A2' }, { test: 'recovery/engine/plan.test.ts' }],
  },
  {
    name: 'the repair of a target path is reported as a recovery of the pod',
    claim: 'A2',
    edits: [
      {
        file: 'recovery/engine/prove.ts',
        search: "recorder({ event: 'recovered', volume, site, took: (clock.now() - since) as Nanoseconds });",
        replacement:
          "recorder({ event: 'recovered', volume, site: { ...site, kind: 'container', container: 'demo', pid: 0 }, took: (clock.now() - since) as Nanoseconds });",
      },
    ],
    judges: [{ scenarios: '@A2' }],
  },
  {
    name: 'read-write volumes are recovered',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "return accessModes.length > 0 && accessModes.every((mode) => mode === 'ReadOnlyMany');",
        replacement: 'return accessModes.length > 0;',
      },
    ],
    judges: [{ scenarios: '@L2' }],
  },
  {
    name: 'a volume with one read-only access mode counts as read-only',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "accessModes.every((mode) => mode === 'ReadOnlyMany')",
        replacement: "accessModes.some((mode) => mode === 'ReadOnlyMany')",
      },
    ],
    judges: [{ scenarios: '@L2' }, { test: 'recovery/engine/plan.test.ts' }],
  },
  {
    name: 'a read-write dataset elsewhere does not turn recovery off in the scope "cluster"',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: 'const culprit = snapshot.volumes.find((each) => !isReadOnly(each));',
        replacement: 'const culprit = snapshot.volumes.find((each) => each.name === volume.name && !isReadOnly(each));',
      },
    ],
    judges: [{ scenarios: '@L2' }],
  },
  {
    name: 'a read-write volume is skipped without an event',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/engine/record.ts',
        search: "'read-write': { type: 'Warning', reason: 'FuseRecoverReadWrite' },",
        replacement: "'read-write': undefined,",
      },
    ],
    judges: [{ scenarios: '@L2' }],
  },
  {
    name: 'the clone is attached without read-only',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/linux/attributes.ts',
        search: 'if (wanted.includes(option)) set |= attribute;',
        replacement: "if (wanted.includes(option) && option !== 'ro') set |= attribute;",
      },
    ],
    judges: [{ scenarios: '@L2' }],
  },
  {
    name: 'a mount that only the mount table or the pod made read-only becomes writable',
    claim: 'L2',
    edits: [
      {
        file: 'recovery/engine/apply.ts',
        search: "(stack.at(-1)?.options.includes('ro') ?? false)",
        replacement: 'false',
      },
      {
        file: 'recovery/engine/apply.ts',
        search: 'volumeMount?.readOnly === true ||',
        replacement: '',
      },
      {
        file: 'recovery/linux/attributes.ts',
        search: "return readOnly && !options.includes('ro') ? ['ro', ...options] : options;",
        replacement: "return readOnly ? ['ro', ...options] : options.filter((option) => option !== 'ro');",
      },
    ],
    judges: [{ scenarios: '@L2' }, { test: engineTest }],
  },
  {
    name: 'a mount is recovered while its source is dead',
    claim: 'L4',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "if (states.some(({ state }) => state === 'live')) return undefined;",
        replacement: "if (states.some(({ state }) => state !== 'absent')) return undefined;",
      },
      {
        file: 'recovery/engine/plan.ts',
        search: "const live = observedSources(observation, volume).filter((source) => source.state === 'live');",
        replacement: "const live = observedSources(observation, volume).filter((source) => source.state !== 'absent');",
      },
    ],
    judges: [{ scenarios: '@L4' }],
  },
  {
    name: 'the dead mount is removed while its daemon is down',
    claim: 'L4',
    edits: [
      {
        file: 'recovery/linux/attach.ts',
        search: "const beneath = context.sys.moveMount(tree, { at: fd, path: '', beneath: true });",
        replacement: 'const beneath = detachTop(context, fd, false);',
      },
      {
        file: 'recovery/engine/policy.ts',
        search: "if (states.some(({ state }) => state === 'live')) return undefined;",
        replacement: "if (states.some(({ state }) => state !== 'absent')) return undefined;",
      },
      {
        file: 'recovery/engine/plan.ts',
        search: "const live = observedSources(observation, volume).filter((source) => source.state === 'live');",
        replacement: "const live = observedSources(observation, volume).filter((source) => source.state !== 'absent');",
      },
    ],
    judges: [{ scenarios: '@L4' }],
  },
  {
    name: 'each crash leaves a mount layer behind',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/linux/attach.ts',
        search: 'const quick = attachAtOnce(context, attachment);',
        replacement: 'const quick = undefined as ReturnType<typeof attachAtOnce>;',
      },
      {
        file: 'recovery/linux/attach.ts',
        search: "if (context.tier !== '6.5') return stack(context, attachment, fd);",
        replacement:
          'return attachOnTop(context, attachment.tree, fd).ok ? ok<Layers>([before, before + 1]) : stale(replacement);',
      },
    ],
    judges: [{ scenarios: '@C3 and @fault:sigkill' }],
  },
  {
    name: 'the dead mount stays on top of the live one',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/linux/attach.ts',
        search: 'return isolated.ok ? context.namespaces.detach(fd) : isolated;',
        replacement: 'return alone;',
      },
    ],
    judges: [{ scenarios: '@A1' }],
  },
  {
    name: 'the dead mount is detached before the live one is attached',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/linux/attach.ts',
        search: "const beneath = context.sys.moveMount(tree, { at: fd, path: '', beneath: true });",
        replacement:
          "if (detachTop(context, fd, carried > 0).ok) return withDirectory(context, top.mountPoint, tree, before);\n  const beneath = context.sys.moveMount(tree, { at: fd, path: '', beneath: true });",
      },
      {
        file: 'recovery/linux/attach.ts',
        search: 'function healedByPropagation(',
        replacement:
          'function withDirectory({ sys }: KernelContext, path: string, tree: number, layers: number): Result<Layers> {\n  const attached = sys.moveMount(tree, { at: -100, path });\n  return attached.ok ? ok([layers, layers]) : attached;\n}\n\nfunction healedByPropagation(',
      },
    ],
    judges: [
      { scenarios: '@C3 and @fault:sigkill' },
      { scenarios: '@L2' },
      { test: 'recovery/linux/replace.root.test.ts' },
    ],
  },
  {
    name: 'the replacement stays in the peer group of the source',
    claim: 'A2',
    edits: [
      {
        file: 'recovery/linux/attributes.ts',
        search: 'clear, private: true, recursive: false,',
        replacement: 'clear, private: false, recursive: false,',
      },
    ],
    judges: [{ scenarios: '@A1 or @A2' }, { test: 'recovery/linux/kernel.root.test.ts' }],
  },
  {
    name: 'a volume mounted below the dead one is lost',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/engine/apply.ts',
        search: 'return { kind, site, stack, below, source, readOnly, elsewhere: mountsElsewhere(mounts, below) };',
        replacement: 'return { kind, site, stack, below: [], source, readOnly, elsewhere: [] };',
      },
      {
        file: 'recovery/linux/attach.ts',
        search: 'if (carried < flattened(innerMounts(top, tree.value, [])).length) return stale(replacement);',
        replacement: '',
      },
    ],
    judges: [{ test: engineTest }],
  },
  {
    name: 'a mount created inside the dead one during the replacement is overlooked',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/linux/attach.ts',
        search: 'placement.value.carries || ',
        replacement: '',
      },
    ],
    judges: [{ test: 'recovery/linux/replace.root.test.ts' }],
  },
  {
    name: 'a process that is about to move into a container is not checked again',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/linux/processes.ts',
        search: 'const isSettled = onlyNew && same !== undefined && scannedAt - firstSeen >= settlingTime;',
        replacement: 'const isSettled = onlyNew && same !== undefined;',
      },
    ],
    judges: [{ test: 'recovery/linux/containers.test.ts' }],
  },
  {
    name: "the read is made as root instead of the pod's user",
    claim: 'L1',
    edits: [
      {
        file: 'recovery/engine/prove.ts',
        search: 'const user = container === undefined ? {} : { user: container.user };',
        replacement: 'const user = container === undefined ? {} : {};',
      },
    ],
    judges: [{ test: successTest }],
  },
  {
    name: 'subPath volumes are recovered',
    claim: 'L3',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "volumeMount?.subPath === undefined || policy.subPath === 'recover')",
        replacement: "volumeMount?.subPath === undefined || policy.subPath !== 'recover')",
      },
    ],
    judges: [{ scenarios: '@L3 and @fault:sigkill' }, { test: 'recovery/engine/plan.test.ts' }],
  },
  {
    name: 'the mounts of init containers are ignored',
    claim: 'L3',
    edits: [
      {
        file: 'recovery/kubernetes/mapping.ts',
        search: "['initContainers', 'containers', 'ephemeralContainers']",
        replacement: "['containers', 'ephemeralContainers']",
      },
    ],
    judges: [{ scenarios: '@L3 and @fault:sigkill' }, { test: 'recovery/kubernetes/mapping.test.ts' }],
  },
  {
    name: 'recovery requires a different label',
    claim: 'A1',
    edits: [
      {
        file: 'recovery/engine/policy.ts',
        search: "'fuse.serverful.fluid.io/inject'",
        replacement: "'fuse.serverful.fluid.io/injected'",
      },
    ],
    judges: [{ scenarios: '@A1 and @fault:sigkill' }],
  },
  {
    name: 'the live mount is removed together with the dead one',
    claim: 'C1',
    edits: [
      {
        file: 'recovery/linux/attach.ts',
        search: "return detached.ok ? ok<Layers>([before, before]) : inStep('detach', top.mountPoint, detached);",
        replacement:
          "context.namespaces.detach(attachment.tree);\n    return detached.ok ? ok<Layers>([before, before]) : inStep('detach', top.mountPoint, detached);",
      },
    ],
    judges: [{ scenarios: '@C1' }],
  },
];

/** All breakages. Each would be a defect that users notice. */
export const mutants: readonly Mutant[] = [...agentMutants, ...webhookMutants, ...clusterMutants, ...standInMutants];
