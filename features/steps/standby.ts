import { strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { attachesLivingOnly, mountsOnce } from '../../src/checks/standby.ts';
import { visibleMount } from '../../src/checks/volume-mounts.ts';
import { hang, oom, sigkill } from '../../src/faults/daemon.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { Daemon, type DaemonRole } from '../../src/scenario/daemon.ts';
import { standbyAnnotation } from '../../src/scenario/manifests.ts';
import { failoverChecks, readingChecks, untilPodFailsOver } from '../../src/scenario/pod-reads.ts';
import { ignorePollTimeout } from '../../src/scenario/scenario.ts';
import type { ContainerRef } from '../../src/timeline/consumer.ts';
import type { RekindleWorld } from '../support/world.ts';

/** The daemons by their roles before the last crashes, which change the roles. */
const struck = new WeakMap<RekindleWorld, Map<DaemonRole, ContainerRef>>();

Given('FUSE recovery is enabled, with standbys', async function (this: RekindleWorld) {
  await this.scenario.setRecovery(true, { standby: true });
});

Given('the dataset {string} with a standby', async function (this: RekindleWorld, name: string) {
  await this.create(name, { annotations: { [standbyAnnotation]: '1' } });
});

Given('a read-write dataset {string} with a standby', async function (this: RekindleWorld, name: string) {
  await this.create(name, { accessModes: ['ReadWriteMany'], annotations: { [standbyAnnotation]: '1' } });
});

Given(
  'pod {string} reads {string} at \\/data, whose standby is ready',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true });
    await untilBothServe(this);
  },
);

Given('its standby is ready', async function (this: RekindleWorld) {
  await untilBothServe(this);
});

When('the dataset gets a standby that has one file more', async function (this: RekindleWorld) {
  await this.dataset.setStandbys(1, { unreadable: 'another-file' });
  await untilBothServe(this);
});

When('the dataset asks for no standby any more', async function (this: RekindleWorld) {
  await this.dataset.setStandbys(0);
});

When('the active daemon is killed', async function (this: RekindleWorld) {
  await strike(this, 'active', sigkill);
});

When('the active daemon is killed and does not come back', async function (this: RekindleWorld) {
  await strike(this, 'active', sigkill, { staysDown: true });
});

/** A correct agent plans nothing in short outages, so only a longer one shows that it leaves a dead standby alone. */
When('the active daemon is killed, and comes back after {duration}', async function (this: RekindleWorld, ms: number) {
  await strike(this, 'active', sigkill, { staysDown: true });
  await this.scenario.watchFor(ms);
  await this.scenario.faults.allowRestarts(struck.get(this)?.get('active')?.pod);
});

When('the standby is killed and does not come back', async function (this: RekindleWorld) {
  await strike(this, 'standby', sigkill, { staysDown: true });
  await untilStruckHasEnded(this, 'standby');
});

When('the standby hangs', async function (this: RekindleWorld) {
  await strike(this, 'standby', hang);
});

When('the active daemon is killed, and at once the standby', async function (this: RekindleWorld) {
  const [active, standby] = [await inRole(this, 'active'), await inRole(this, 'standby')];
  await active.inject(sigkill);
  await standby.inject(sigkill);
});

When('both daemons are killed and do not come back', async function (this: RekindleWorld) {
  const [active, standby] = [await inRole(this, 'active'), await inRole(this, 'standby')];
  await standby.inject(sigkill, { staysDown: true });
  await active.inject(sigkill, { staysDown: true });
});

When('the memory of both daemons runs out', async function (this: RekindleWorld) {
  const [active, standby] = [await inRole(this, 'active'), await inRole(this, 'standby')];
  await Promise.all([active.inject(oom), standby.inject(oom)]);
});

When('the daemon that was {word} is started again', async function (this: RekindleWorld, role: DaemonRole) {
  await this.scenario.faults.allowRestarts(struck.get(this)?.get(role)?.pod);
});

When(
  'the active daemon is killed {int} times, each time as soon as the other one is back',
  async function (this: RekindleWorld, times: number) {
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) await untilBothServe(this);
      await strike(this, 'active', sigkill);
      await untilPodFailsOver(this.pod);
    }
  },
);

Then('the pod continues with the standby, and was not restarted', async function (this: RekindleWorld) {
  await untilPodFailsOver(this.pod).catch(ignorePollTimeout);
  this.scenario.judge(...(await failoverChecks(this.pod)));
});

Then('the pod reads the same files again, though the daemon is not back', async function (this: RekindleWorld) {
  await untilPodFailsOver(this.pod).catch(ignorePollTimeout);
  this.scenario.judge(...(await readingChecks(this.pod)));
});

Then('no mount of a dead daemon was attached, and none twice', async function (this: RekindleWorld) {
  await this.namespace.countMounts();
  const mountsBeneath = this.session.cluster.capabilities.has('mount-beneath');
  this.scenario.judge(
    attachesLivingOnly(this.timeline, this.subject),
    mountsOnce(this.timeline, { ...this.subject, mountsBeneath }),
  );
});

Then('an event on the dataset says {string}', async function (this: RekindleWorld, reason: string) {
  if (!this.scenario.promisesExplanations(`an event ${reason}`)) return;
  const object = `Dataset ${this.namespace.name}/${this.dataset.name}`;
  await this.scenario.happens(
    `an event ${reason} on the dataset`,
    (event) => event.kind === 'event' && event.reason === reason && event.object === object,
  );
});

Then('{string} shows the file system that {string} shows', async function (this: RekindleWorld, a: string, b: string) {
  const devices = await Promise.all(
    [a, b].map(async (name) => {
      const pod = this.namespace.pod(name);
      const lines = await pod.mountTable();
      return visibleMount({ lines }, (path) => path === pod.consumer.path)?.device;
    }),
  );
  strictEqual(devices[0], devices[1]);
});

Then("the standby's daemon has ended, and nothing is left of it on the node", async function (this: RekindleWorld) {
  const isOfStandby = (line: string) => line.includes(`/${this.namespace.name}/${this.dataset.name}/standby-`);
  await this.scenario.eventually({
    condition: 'the standby is gone',
    read: async () => [
      ...(await this.namespace.listPods(`rekindle.dev/standby-of=${this.dataset.name}`)).map(
        ({ metadata }) => `pod ${metadata?.name}`,
      ),
      ...(await this.session.cluster.mountTable()).filter(isOfStandby),
    ],
    until: ({ length }) => length === 0,
    format: (left) => left.join('; '),
  });
});

/** Injects a fault into the daemon that has the role now, and remembers which it was. */
async function strike(world: RekindleWorld, role: DaemonRole, fault: Fault, { staysDown = false } = {}): Promise<void> {
  await (await inRole(world, role)).inject(fault, { staysDown });
}

/** The daemon that has a role now, also after it has lost it. */
async function inRole(world: RekindleWorld, role: DaemonRole): Promise<Daemon> {
  const container = await world.dataset.daemonInRole(role).container();
  const known = struck.get(world) ?? new Map<DaemonRole, ContainerRef>();
  struck.set(world, known.set(role, container));
  return new Daemon(world.dataset, async () => container);
}

/** Waits until active and standby are mounted, and the standby was reported ready after its last end. */
async function untilBothServe(world: RekindleWorld): Promise<void> {
  const { dataset, scenario, namespace } = world;
  for (const role of ['active', 'standby'] as const) {
    const { pod } = await dataset.daemonInRole(role).container();
    await scenario.eventually({
      condition: `the ${role} daemon is ready`,
      read: () =>
        scenario.history.findLast(
          (event) =>
            event.kind === 'process' &&
            event.name.startsWith(`${namespace.name}/${pod}/`) &&
            event.change !== 'started',
        ),
      until: (last) => last?.kind === 'process' && last.change === 'ready',
      format: (last) => (last?.kind === 'process' ? `${last.name} ${last.change}` : 'nothing was reported of it'),
    });
  }
  await namespace.snapshotMounts('before');
}

async function untilStruckHasEnded(world: RekindleWorld, role: DaemonRole): Promise<void> {
  const since = world.scenario.lastFaultAt;
  const pod = struck.get(world)?.get(role)?.pod ?? '';
  await world.scenario.happens(
    `the ${role} daemon has ended`,
    (event) =>
      event.kind === 'process' && event.change === 'exited' && event.name.includes(`/${pod}/`) && event.at > since,
  );
}
