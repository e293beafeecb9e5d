import type { RegisterHooksOptions } from 'node:module';

export interface WrappedModule {
  /** A module of the agent. */
  readonly real: URL;
  /** What is loaded in its place, by everybody but itself; it may have a query of its own. */
  readonly ours: URL;
}

/** Hooks that put one module in another's place: how an agent is made to do wrong without there being anything of it in it. */
export function wrapModule({ real, ours }: WrappedModule): RegisterHooksOptions {
  const without = `${ours.origin === 'null' ? 'file://' : ours.origin}${ours.pathname}`;
  return {
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const isOurs = context.parentURL?.startsWith(without) === true;
      return resolved.url === real.href && !isOurs ? { ...resolved, url: ours.href } : resolved;
    },
  };
}
