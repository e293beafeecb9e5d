import type { ClockPort } from '../engine/ports.ts';
import { listAt, objectAt } from '../kubernetes/json.ts';
import { listWatch } from '../kubernetes/list-watch.ts';
import type { Transport } from '../kubernetes/transport.ts';

export interface OtherPluginOptions {
  readonly transport: Transport;
  /** The DaemonSet of the node plugin that publishes the volumes here. */
  readonly plugin: { readonly namespace: string; readonly name: string };
  readonly onError: (error: unknown) => void;
  readonly onRecovered: () => void;
  /** Called when the plugin starts or stops recovering. */
  readonly onChange: () => void;
  readonly clock: ClockPort;
  /** Between 0 and 1. */
  readonly random: () => number;
}

/** Another node plugin on the agent's node. */
export interface OtherPlugin extends AsyncDisposable {
  /** Whether its recovery gate is on. Two plugins that replace the same mounts would undo each other's work. */
  recovers(): boolean;
  readonly synced: Promise<void>;
  /** As of `ListWatch`. */
  problem(): string | undefined;
}

export function watchOtherPlugin(options: OtherPluginOptions): OtherPlugin {
  const { transport, plugin, onError, onRecovered, onChange, clock, random } = options;
  let before = false;
  const watched = listWatch<boolean>({
    transport,
    path: `/apis/apps/v1/namespaces/${encodeURIComponent(plugin.namespace)}/daemonsets`,
    fieldSelector: `metadata.name=${plugin.name}`,
    map: isGateOn,
    onChange() {
      const now = recovers();
      if (now !== before) onChange();
      before = now;
    },
    onError,
    onRecovered,
    clock,
    random,
  });
  const recovers = () => [...watched.objects.values()].some(Boolean);
  return {
    recovers,
    synced: watched.synced,
    problem: watched.problem,
    [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose](),
  };
}

/** Whether any container of a DaemonSet is started with the gate on. The last setting of a command line counts. */
export function isGateOn(daemonSet: unknown): boolean {
  return listAt(objectAt(daemonSet, 'spec', 'template', 'spec'), 'containers').some(
    ({ command, args }) => gateIn([command, args].flat()) === true,
  );
}

/** A gate's value on a command line, or undefined if it is not set. */
export function gateIn(words: readonly unknown[], name = 'FuseRecovery'): boolean | undefined {
  const gate = new RegExp(`\\b${name}=(\\w+)`, 'g');
  const gates = words.filter((word) => typeof word === 'string').flatMap((word) => [...word.matchAll(gate)]);
  const value = gates.at(-1)?.[1];
  return value === undefined ? undefined : /^(1|t|true)$/i.test(value);
}
