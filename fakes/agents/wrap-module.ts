import { registerHooks } from 'node:module';

/** Modules of agent and keeper that can be wrapped; each has a wrapper of the same name in `wrapped/`. */
const realModules = {
  attach: new URL('../../recovery/linux/attach.ts', import.meta.url),
  engine: new URL('../../recovery/engine/engine.ts', import.meta.url),
  fuseDescriptor: new URL('../../recovery/linux/fuse-descriptor.ts', import.meta.url),
  keeping: new URL('../../recovery/keeper/keeping.ts', import.meta.url),
  loadSyscalls: new URL('../../recovery/linux/load-syscalls.ts', import.meta.url),
  log: new URL('../../recovery/log.ts', import.meta.url),
  plan: new URL('../../recovery/engine/plan.ts', import.meta.url),
  policy: new URL('../../recovery/engine/policy.ts', import.meta.url),
  prove: new URL('../../recovery/engine/prove.ts', import.meta.url),
  recorder: new URL('../../recovery/agent/recorder.ts', import.meta.url),
};
const wrappers = {
  attach: new URL('./wrapped/attach.ts', import.meta.url),
  engine: new URL('./wrapped/engine.ts', import.meta.url),
  fuseDescriptor: new URL('./wrapped/fuse-descriptor.ts', import.meta.url),
  keeping: new URL('./wrapped/keeping.ts', import.meta.url),
  loadSyscalls: new URL('./wrapped/load-syscalls.ts', import.meta.url),
  log: new URL('./wrapped/log.ts', import.meta.url),
  plan: new URL('./wrapped/plan.ts', import.meta.url),
  policy: new URL('./wrapped/policy.ts', import.meta.url),
  prove: new URL('./wrapped/prove.ts', import.meta.url),
  recorder: new URL('./wrapped/recorder.ts', import.meta.url),
};

export type WrappedModule = keyof typeof realModules;

/**
 * Loads a wrapper wherever the program imports the real module; the wrapper itself still gets the real one. `query` chooses a
 * variant of the wrapper. This is how an agent is made faulty without any test code in it.
 */
export function wrapModule(module: WrappedModule, query = ''): void {
  const real = realModules[module].href;
  const wrapper = wrappers[module].href;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const importedByWrapper = context.parentURL?.startsWith(wrapper) === true;
      return resolved.url === real && !importedByWrapper ? { ...resolved, url: `${wrapper}?${query}` } : resolved;
    },
  });
}
