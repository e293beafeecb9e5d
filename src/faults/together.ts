import { poll } from '../../clusters/poll.ts';
import type { Fault, FaultContext, Injected } from './fault.ts';

/** How long a part waits for its target, which the part before may just have ended. */
const targetTimeoutMs = 20_000;

/** Combines faults into one: each is injected right after the one before, and they are healed in reverse order. */
export function together(parts: readonly Fault[]): Fault {
  return {
    name: parts.map(({ name }) => name).join('+'),
    step: parts.map(({ step }) => step).join(' and at once '),
    title: parts.map(({ title }) => title).join('; and at once: '),
    claims: [...new Set(parts.flatMap(({ claims }) => claims))],
    expected: parts.map(({ expected }) => expected).join('; and '),
    isCrash: parts.some(({ isCrash }) => isCrash),
    async inject(context) {
      await using begun = new AsyncDisposableStack();
      const done: Injected[] = [];
      for (const part of parts) {
        const before = done.at(-1);
        if (before) context.recordInjection(before.at);
        done.push(begun.use(await injectWithRetries(part, context)));
      }
      const healing = begun.move();
      const at = done.at(-1)?.at ?? 0;
      return { at, lasts: done.some(({ lasts }) => lasts), [Symbol.asyncDispose]: () => healing.disposeAsync() };
    },
  };
}

/** Retries until the target exists. @throws PollTimeout with the last error */
async function injectWithRetries(part: Fault, context: FaultContext): Promise<Injected> {
  const result = await poll<Injected | Error>({
    condition: `the fault ${part.name} finds its target`,
    read: () => part.inject(context).catch((error: Error) => error),
    until: (result) => !(result instanceof Error),
    format: (result) => (result instanceof Error ? result.message : ''),
    timeoutMs: targetTimeoutMs,
    intervalMs: 10,
  });
  return result as Injected;
}
