import type { AgentOptions } from '../cluster.ts';

/** The agent's arguments with the flags that options ask for; all others stay as they are. */
export function withFlags(args: readonly string[], options: AgentOptions): readonly string[] {
  const { fuseRecovery, kernelTier, readWriteScope, abortHungAfter } = options;
  const wanted: Readonly<Record<string, string | undefined>> = {
    '--feature-gates': `FuseRecovery=${fuseRecovery}`,
    '--kernel-tier': kernelTier,
    '--read-write-scope': readWriteScope,
    '--abort-hung-after': abortHungAfter,
  };
  const nameOf = (arg: string) => arg.split('=', 1)[0] ?? '';
  // In their places, so that asking for what is there already changes nothing.
  const kept = args.flatMap((arg) => {
    const name = nameOf(arg);
    if (!(name in wanted)) return [arg];
    return wanted[name] === undefined ? [] : [`${name}=${wanted[name]}`];
  });
  const there = new Set(kept.map(nameOf));
  const added = Object.entries(wanted).flatMap(([name, value]) =>
    value === undefined || there.has(name) ? [] : [`${name}=${value}`],
  );
  return [...kept, ...added];
}
