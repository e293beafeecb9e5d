import { type EngineOptions, Engine as RealEngine } from '../../../recovery/engine/engine.ts';

export * from '../../../recovery/engine/engine.ts';

const nothing: Disposable = { [Symbol.dispose]() {} };

/** A port without some of its methods, which do nothing. */
function without<Port extends object>(port: Port, methods: readonly (string | symbol)[]): Port {
  return new Proxy(port, {
    get(target, key) {
      if (methods.includes(key)) return () => nothing;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** An engine that nothing notifies: it looks for dead mounts once in each period. */
class PollingEngine extends RealEngine {
  constructor({ kernel, kubernetes, ...options }: EngineOptions) {
    super({
      ...options,
      kernel: without(kernel, ['watchMounts', 'watchDaemon']),
      kubernetes: without(kubernetes, ['watch']),
    });
  }
}

export { PollingEngine as Engine };
