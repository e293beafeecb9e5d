import { createHash } from 'node:crypto';
import type { FaultyStore } from '../../clusters/cluster.ts';
import { Daemon, type DaemonRole, daemonInRole, runningDaemon } from './daemon.ts';
import {
  behaviourAnnotation,
  dataset,
  documentedFiles,
  type Manifest,
  secret,
  standbyAnnotation,
} from './manifests.ts';
import type { Namespace } from './namespace.ts';
import { createObjects, findProcess, volumeName, writeFiles } from './profile-volume.ts';

export type Files = Readonly<Record<string, Uint8Array>>;

/** Differences from the document's dataset. */
export interface DatasetDifferences {
  readonly accessModes?: readonly string[];
  readonly behaviour?: Readonly<Record<string, unknown>>;
  readonly files?: Files;
  /** Directories that hold only a placeholder. */
  readonly directories?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly cleanPolicy?: 'OnDemand';
  /** The daemon reaches the object store through a proxy that can be made to fail. */
  readonly faultyStore?: true;
}

/** A dataset, or a volume of another kind: its objects, its files in the object store, and its daemon. */
export class Dataset {
  readonly namespace: Namespace;
  readonly name: string;
  #files: Files | undefined;
  #volume: string | undefined;
  #store: FaultyStore | undefined;

  constructor(namespace: Namespace, name: string) {
    this.namespace = namespace;
    this.name = name;
  }

  /** Name of the PersistentVolume, or of the volume in the pod if it is inline. */
  get volume(): string {
    return this.#volume ?? `${this.namespace.name}-${this.name}`;
  }

  /** How the profile describes a volume; undefined if it is a Dataset. */
  get #own() {
    return this.namespace.scenario.session.profile.volume;
  }

  get files(): Files {
    return this.#files ?? documentedFiles;
  }

  /** Whether its files have been uploaded. */
  get exists(): boolean {
    return this.#files !== undefined;
  }

  get store(): FaultyStore | undefined {
    return this.#store;
  }

  /** The daemon on the node of the pods that use the dataset; on any node if no pod does. */
  get daemon(): Daemon {
    return new Daemon(this, () => {
      const user = this.namespace.observedPods.find((pod) => pod.dataset === this);
      return this.#own && user ? findProcess(user) : runningDaemon(this, user?.node);
    });
  }

  /** A daemon of a dataset with standbys, by the role that it has when a fault is injected. */
  daemonInRole(role: DaemonRole): Daemon {
    return new Daemon(this, () => daemonInRole(this, role));
  }

  /** Asks for a number of standbys, 1 to 3, or for none. `behaviour`: of the FUSE pods that are created from now on. */
  async setStandbys(count: number, behaviour?: NonNullable<DatasetDifferences['behaviour']>): Promise<void> {
    const object = { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', name: this.name };
    const annotations = { [standbyAnnotation]: count === 0 ? null : String(count) };
    await this.namespace.patchMetadata(object, {
      annotations: { ...annotations, ...(behaviour && behaviourAnnotation(behaviour)) },
    });
  }

  /** Creates the document's Secret, Dataset and JindoRuntime without waiting for the result. */
  async createObjects({ files, directories, faultyStore, ...options }: DatasetDifferences = {}): Promise<void> {
    const { namespace, name } = this;
    const { cluster } = namespace.scenario.session;
    if (faultyStore) this.#store = namespace.scenario.use(await cluster.openFaultyStore());
    const store = { ...cluster.store, endpoint: this.#store?.endpoint ?? cluster.store.endpoint };
    const directory = await this.upload({ ...(files && { files }), ...(directories && { directories }) });
    await createIfMissing(namespace, secret(store));
    for (const manifest of dataset({ name, store, directory, ...options })) await namespace.createObject(manifest);
  }

  /** Uploads the dataset's files. Returns their directory in the bucket. */
  async upload({
    files = documentedFiles,
    directories = [],
  }: Pick<DatasetDifferences, 'files' | 'directories'> = {}): Promise<string> {
    const { cluster } = this.namespace.scenario.session;
    const directory = `${this.namespace.name}/${this.name}`;
    this.#files = files;
    if (this.namespace.scenario.session.profile.fill === 'pod') return directory;
    for (const [file, bytes] of Object.entries(files)) await cluster.putObject(`${directory}/${file}`, bytes);
    for (const child of directories) await cluster.putObject(`${directory}/${child}/.keep`, Buffer.from('keep'));
    return directory;
  }

  /** Changes how the daemon of the next FUSE pod behaves. */
  async changeBehaviour(behaviour: NonNullable<DatasetDifferences['behaviour']>): Promise<void> {
    const object = { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', name: this.name };
    await this.namespace.patchMetadata(object, { annotations: behaviourAnnotation(behaviour) });
  }

  /** Creates the dataset and waits until it is Bound. */
  async create(differences?: DatasetDifferences): Promise<void> {
    const own = this.#own;
    if (own === undefined) {
      await this.createObjects(differences);
      await this.bound();
      return;
    }
    await createObjects(this, own, await this.upload(differences));
    this.#volume = await volumeName(this);
    if (this.namespace.scenario.session.profile.fill === 'pod') await writeFiles(this);
  }

  /** Creates the document's dataset unless it exists. */
  async ensure(): Promise<void> {
    if (!this.exists) await this.create();
  }

  /** Where its daemon mounts on a node, by its volume. */
  async sourcePath(): Promise<string> {
    const { core, name: namespace } = this.namespace;
    const { spec } = await core.readPersistentVolume({ name: `${namespace}-${this.name}` });
    return spec?.csi?.volumeAttributes?.fluid_path ?? '';
  }

  async bound(): Promise<void> {
    await this.namespace.scenario.eventually({
      condition: `Dataset ${this.name} is Bound`,
      read: () => this.namespace.datasetStatus(this.name),
      until: ({ phase }) => phase === 'Bound',
      format: formatDatasetStatus,
    });
  }
}

export function formatDatasetStatus({ phase, message }: { readonly phase: string; readonly message: string }): string {
  return `phase ${phase || '(none)'} ${message}`;
}

async function createIfMissing(namespace: Namespace, manifest: Manifest): Promise<void> {
  await namespace.createObject(manifest).catch((error: { readonly code?: number }) => {
    if (error.code !== 409) throw error;
  });
}

/** SHA-256 of each file, in hex. */
export function checksums(files: Files): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).map(([file, bytes]) => [file, createHash('sha256').update(bytes).digest('hex')]),
  );
}
