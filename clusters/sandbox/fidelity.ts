import { versionOf } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import type { Fidelity } from '../../src/timeline/record.ts';
import { conditionsNamed } from './conditions/catalogue.ts';
import type { SupervisorOptions } from './protocol.ts';

/** Which parts of the sandbox are real, and which are fakes. */
export function describeFidelity({
  clockScale,
  conditions,
  agent,
  bundled,
  daemon,
  environment,
}: Pick<SupervisorOptions, 'clockScale' | 'conditions' | 'agent' | 'daemon' | 'environment'> & {
  readonly bundled: boolean;
}): Fidelity {
  const packaging = bundled ? 'bundled' : 'from its sources';
  return {
    place: 'sandbox',
    clockScale,
    parts: [
      { part: 'kernel FUSE', is: 'real', fake: false },
      { part: 'mount and PID namespaces', is: 'real', fake: false },
      {
        part: 'node agent',
        is: agent.command
          ? `another program: ${agent.command.join(' ')}`
          : `the one for production, ${packaging}, with the privileges and the read-only root of its DaemonSet, but no seccomp filter`,
        fake: false,
      },
      { part: 'admission webhook', is: `the one for production, ${packaging}, called over HTTPS`, fake: false },
      ...(agent.driver === undefined
        ? []
        : [
            {
              part: 'volumes of StorageClasses',
              is: `fake: the control plane calls CreateVolume of ${agent.driver} itself`,
              fake: true,
            },
          ]),
      agent.driver !== undefined
        ? { part: 'FUSE process', is: `what the driver ${agent.driver} starts`, fake: false }
        : daemon
          ? { part: 'FUSE daemon', is: versionOf(daemon, environment.PATH ?? '') ?? daemon, fake: false }
          : { part: 'FUSE daemon', is: 'fake filesystem over S3 (libfuse 2)', fake: true },
      { part: 'kubelet and container runtime', is: 'fake: process trees in namespaces', fake: true },
      ...conditionsNamed(conditions).map(({ name, title }) => ({
        part: `node condition ${name}`,
        is: title,
        fake: false,
      })),
      { part: 'virtual node', is: 'fake: a second kubelet without node agent and CSI driver', fake: true },
      { part: 'API server, scheduler and DaemonSet controller', is: 'fake: HTTPS, for real clients', fake: true },
      { part: "Fluid's controllers", is: 'fake', fake: true },
      { part: 'object store', is: 'embedded S3 store', fake: true },
    ],
  };
}
