import { FuseConnection } from '../../../recovery/linux/model/connection.ts';
import { KernelModel } from '../../../recovery/linux/model/kernel-model.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import { ok } from '../../../recovery/linux/result.ts';
import type { Machine } from './machine.ts';

/** A modelled kernel that behaves like a release, `uname -r`, and can what the real machine can. */
export function createModelledMachine(release: string, real: Pick<Machine, 'copyForUser' | 'abort'>): Machine {
  const kernel = new KernelModel({ release });
  const connections = new Map<string, FuseConnection>();
  let mounting: FuseConnection | undefined;
  const sys = new ModelledSyscalls({
    kernel,
    filesystem: (fstype, source) =>
      kernel.filesystem({ fstype, source, ...(mounting === undefined ? {} : { connection: mounting }) }),
  });
  const setDaemon: Machine['setDaemon'] = (daemon, state) => {
    const connection = connections.get(`d${daemon}`);
    if (connection !== undefined && connection.state !== 'dead') connection.state = state;
  };
  return {
    sys,
    mountFuse(daemon, { path, flags, caches, starts }) {
      const entries = new Set(['in', 'in/in', `d${daemon}`, `in/d${daemon}`, `in/in/d${daemon}`]);
      const connection = new FuseConnection({
        entries,
        ...(caches ? {} : { entryTimeout: 0 }),
        ...(starts ? { state: 'starting' } : {}),
        ungreeted: kernel.isSince('7.1') ? 'ECONNREFUSED' : 'ENOTCONN',
      });
      mounting = connection;
      try {
        const mounted = sys.mount({ source: `d${daemon}`, target: path, fstype: 'fuse.sim', flags });
        if (mounted.ok) connections.set(`d${daemon}`, connection);
        return mounted;
      } finally {
        mounting = undefined;
      }
    },
    copyForUser: real.copyForUser && (() => sys.copyForUser()),
    abort:
      real.abort &&
      ((daemon) => {
        setDaemon(daemon, 'dead');
        return ok(undefined);
      }),
    setDaemon,
    list: (fd) => sys.list(fd),
    reset() {
      connections.clear();
    },
    [Symbol.dispose]: () => sys.exit(),
  };
}
