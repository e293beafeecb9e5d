import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultContext, Injected } from './fault.ts';

/** How long a part waits for what it strikes: the one before may just have ended it. */
const patienceMs = 20_000;

/** Several faults as one: each is done right after the one before, and healed before it. */
export function together(parts: readonly Fault[]): Fault {
  return {
    name: parts.map(({ name }) => name).join('+'),
    title: parts.map(({ title }) => title).join('; and at once: '),
    claims: [...new Set(parts.flatMap(({ claims }) => claims))],
    expected: parts.map(({ expected }) => expected).join('; and '),
    isCrash: parts.some(({ isCrash }) => isCrash),
    async inject(context) {
      await using begun = new AsyncDisposableStack();
      const done: Injected[] = [];
      for (const part of parts) {
        const before = done.at(-1);
        if (before) context.struck(before.at);
        done.push(begun.use(await injectWhenThere(part, context)));
      }
      const healing = begun.move();
      const at = done.at(-1)?.at ?? 0;
      return { at, lasts: done.some(({ lasts }) => lasts), [Symbol.asyncDispose]: () => healing.disposeAsync() };
    },
  };
}

/** A container that has just ended is there again soon. @throws the last refusal */
async function injectWhenThere(part: Fault, context: FaultContext): Promise<Injected> {
  for (const deadline = performance.now() + patienceMs; ; await delay(10)) {
    try {
      return await part.inject(context);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
