import { type KubeConfig, StorageV1Api } from '@kubernetes/client-node';
import type { ProcessRef } from '../../clusters/cluster.ts';
import { PollTimeout } from '../../clusters/poll.ts';
import type { Profile } from '../profiles/profile.ts';
import { ProfileMisfit } from '../profiles/profile-misfit.ts';
import { fillPattern, fillTemplate } from '../profiles/template.ts';
import type { Dataset } from './dataset.ts';
import { type ApplicationOptions, clusterScoped, type Manifest } from './manifests.ts';
import type { ScenarioPod } from './pod.ts';
import { formatPodState } from './pod-state.ts';
import type { Scenario } from './scenario.ts';

type OwnVolume = NonNullable<Profile['volume']>;

/** The values of the placeholders of a volume. `directory`: of its files in the bucket. */
function placeholders({ namespace, name }: Dataset, directory: string): Readonly<Record<string, string>> {
  const { endpoint, bucket, accessKeyId, accessKeySecret: secretAccessKey } = namespace.scenario.session.cluster.store;
  return { namespace: namespace.name, name, directory, endpoint, bucket, accessKeyId, secretAccessKey };
}

const directoryOf = ({ namespace, name }: Dataset) => `${namespace.name}/${name}`;

/** Creates the objects of a profile's volume. Those outside of the namespace are deleted with the scenario. @throws ProfileMisfit */
export async function createObjects(dataset: Dataset, own: OwnVolume, directory: string): Promise<void> {
  const { namespace } = dataset;
  for (const [index, template] of own.objects.entries()) {
    const manifest = fillTemplate(template, placeholders(dataset, directory)) as Manifest;
    const { kind = '', metadata } = manifest;
    try {
      await namespace.createObject(manifest);
    } catch (error) {
      const { code, message } = error as { readonly code?: number; readonly message: string };
      // A StorageClass that another volume of the scenario has created is the same.
      if (code === 409) continue;
      const reason = message.replaceAll(/\s+/g, ' ').slice(0, 300);
      throw new ProfileMisfit(`volume.objects.${index}`, `its ${kind} is refused: ${reason}`);
    }
    if (clusterScoped.has(kind))
      namespace.scenario.use({
        [Symbol.asyncDispose]: () => namespace.deleteObject({ ...manifest, metadata: { name: metadata?.name ?? '' } }),
      });
  }
}

/** Waits until the claim of a volume is bound. Returns the name of its PersistentVolume, or of the inline volume. @throws ProfileMisfit */
export async function volumeName(dataset: Dataset): Promise<string> {
  const { namespace } = dataset;
  const { persistentVolumeClaim: claim } = volumeSource(dataset) as {
    readonly persistentVolumeClaim?: { readonly claimName?: string };
  };
  if (claim === undefined) return 'data-vol';
  const name = claim.claimName ?? '';
  const bound = await misfits('volume', () =>
    namespace.scenario.eventually({
      condition: `the claim ${name} is Bound`,
      read: () => namespace.core.readNamespacedPersistentVolumeClaim({ name, namespace: namespace.name }),
      until: ({ status }) => status?.phase === 'Bound',
      format: ({ status, spec }) =>
        `phase ${status?.phase ?? '(none)'}, StorageClass ${spec?.storageClassName ?? '(none)'}`,
    }),
  );
  return bound.spec?.volumeName ?? '';
}

function volumeSource(dataset: Dataset): Readonly<Record<string, unknown>> {
  const { volume } = dataset.namespace.scenario.session.profile;
  return fillTemplate(volume?.source ?? {}, placeholders(dataset, directoryOf(dataset)));
}

/** How a pod of a profile's volume differs from the document's; undefined if the volume is a Dataset. */
export function podDifferences(
  dataset: Dataset,
): Pick<ApplicationOptions, 'labels' | 'annotations' | 'propagation' | 'source'> | undefined {
  const { volume, pod } = dataset.namespace.scenario.session.profile;
  return volume && { ...pod, source: volumeSource(dataset) };
}

/** Runs a pod with the volume that writes its files, and deletes it. @throws ProfileMisfit */
export async function writeFiles(dataset: Dataset): Promise<void> {
  const { namespace, name } = dataset;
  const writer = namespace.pod(`${name}-writer`);
  await writer.create(dataset, { labelled: false });
  await misfits('fill', () => writer.ready());
  for (const [file, bytes] of Object.entries(dataset.files)) {
    const script = `mkdir -p "$(dirname "/data/$0")" && echo "$1" | base64 -d >"/data/$0" && sync "/data/$0"`;
    const command = ['sh', '-c', script, file, Buffer.from(bytes).toString('base64')];
    const { exitCode, stderr } = await writer.exec(command);
    if (exitCode !== 0) throw new ProfileMisfit('fill', `the pod cannot write ${file}: ${stderr.trim()}`);
  }
  await writer.delete();
}

/** The FUSE process that serves a pod at this moment. @throws ProfileMisfit if none or several are found in time */
export async function findProcess(pod: ScenarioPod): Promise<ProcessRef> {
  const { namespace, dataset } = pod;
  const { scenario } = namespace;
  const { process: places } = scenario.session.profile;
  const uid = (await pod.read()).metadata?.uid ?? '';
  const values = { namespace: namespace.name, name: dataset.name, volume: dataset.volume, pod: uid };
  const own = fillTemplate(places?.pod, values);
  if (own !== undefined) {
    const [found] = await misfits('process.pod', () =>
      scenario.eventually({
        condition: `one pod of the namespace ${own.namespace} with the labels ${own.selector} is Running on the node of ${pod.name}`,
        read: async () => {
          const { items } = await namespace.core.listNamespacedPod({
            namespace: own.namespace,
            labelSelector: own.selector,
          });
          return items.filter(
            ({ spec, metadata }) => spec?.nodeName === pod.node && metadata?.deletionTimestamp === undefined,
          );
        },
        until: (pods) => pods.length === 1 && pods[0]?.status?.phase === 'Running',
        format: (pods) => pods.map((each) => `${each.metadata?.name} (${formatPodState(each)})`).join(', ') || 'none',
      }),
    );
    const name = found?.metadata?.name ?? '';
    const containers = found?.spec?.containers.map((container) => container.name) ?? [];
    if (!containers.includes(own.container))
      throw new ProfileMisfit(
        'process.pod.container',
        `the pod ${name} has no container ${own.container}, only: ${containers.join(', ')}`,
      );
    return { namespace: own.namespace, pod: name, container: own.container };
  }
  const field = places?.plugin === undefined ? 'host' : 'plugin';
  const command = fillPattern(places?.[field] ?? '', values);
  const ref = { ...pod.container, command };
  const { cluster } = scenario.session;
  try {
    await scenario.eventually({
      condition: `one process on the node of ${pod.name} has a command line like ${command}`,
      // A driver that looks for dead mounts now and then also starts their processes so late.
      atLeastMs: 2 * scenario.session.profile.periodMs,
      read: () => cluster.processes(ref),
      until: ({ length }) => length === 1,
      format: formatProcesses,
    });
  } catch (error) {
    if (!(error instanceof PollTimeout)) throw error;
    const near = await cluster.processes({ ...ref, command: fillPattern('{volume}|{pod}', values) });
    const hint = near.length === 0 ? '' : `; the volume or the pod is named by: ${formatProcesses(near)}`;
    throw new ProfileMisfit(`process.${field}`, `${error.message}${hint}`);
  }
  return ref;
}

const formatProcesses = (processes: Awaited<ReturnType<Scenario['session']['cluster']['processes']>>): string =>
  processes.map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`).join('; ') || 'none';

/** Waits until the FUSE process of a pod's volume is there again, unless nothing starts it. @throws ProfileMisfit */
export async function untilRestarted(pod: ScenarioPod): Promise<void> {
  if (pod.namespace.scenario.session.profile.restartedBy !== 'nobody') await pod.daemon.container();
}

/** Starts a pod with the volume of the profile. @throws ProfileMisfit if it does not read in time */
export async function startWithVolume(
  { session }: Pick<Scenario, 'session'>,
  start: () => Promise<void>,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    const { driver } = session.profile.volume ?? {};
    if (!(error instanceof PollTimeout) || driver === undefined) throw error;
    const installed = await installedDrivers(session.cluster.kubeConfig);
    if (installed === undefined || installed.has(driver)) throw new ProfileMisfit('volume', error.message);
    const others = [...installed].toSorted().join(', ') || 'none';
    throw new ProfileMisfit('volume.driver', `no CSINode has the driver ${driver}, only: ${others}; ${error.message}`);
  }
}

/** Names of the drivers that kubelets have registered; undefined if the cluster does not list them, as the sandbox does not. */
async function installedDrivers(kubeConfig: KubeConfig): Promise<ReadonlySet<string> | undefined> {
  try {
    const { items } = await kubeConfig.makeApiClient(StorageV1Api).listCSINode();
    return new Set(items.flatMap(({ spec }) => spec.drivers.map(({ name }) => name)));
  } catch {
    return undefined;
  }
}

/** Kills the FUSE process of a pod by `inject`. @throws ProfileMisfit if it is not found, or continues */
export async function killProcess(pod: ScenarioPod, inject: () => Promise<void>): Promise<void> {
  const { scenario } = pod.namespace;
  const { cluster, profile } = scenario.session;
  const ref = await pod.daemon.container();
  const field = `process.${Object.keys(profile.process ?? {})[0]}`;
  const victims = ref.command === undefined ? [] : await cluster.processes(ref);
  try {
    await inject();
  } catch (error) {
    throw new ProfileMisfit(field, `it cannot be killed: ${(error as Error).message}`);
  }
  if (victims.length === 0) return;
  await misfits(field, () =>
    scenario.eventually({
      condition: `process ${victims.map(({ pid }) => pid).join(', ')} has ended after SIGKILL`,
      read: () => cluster.processes(ref),
      until: (left) => !left.some(({ pid }) => victims.some((victim) => victim.pid === pid)),
      format: formatProcesses,
    }),
  );
}

/** What the profile describes and does not come in time is no failure of the implementation. */
async function misfits<T>(field: string, wait: () => Promise<T>): Promise<T> {
  try {
    return await wait();
  } catch (error) {
    if (!(error instanceof PollTimeout)) throw error;
    throw new ProfileMisfit(field, error.message);
  }
}
