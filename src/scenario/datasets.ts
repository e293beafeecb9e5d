import { createHash } from 'node:crypto';
import type { FaultyStore } from '../../clusters/cluster.ts';
import type { Session } from '../run/session.ts';
import { dataset, documentedFiles, type Manifest, secret } from './manifests.ts';
import type { Objects } from './objects.ts';
import type { Waiting } from './waiting.ts';

/** How a dataset differs from the document's. */
export interface DatasetDifferences {
  readonly accessModes?: readonly string[];
  readonly behaviour?: Readonly<Record<string, unknown>>;
  /** Instead of the document's. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Directories of it that hold nothing a pod is to see. */
  readonly directories?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** It reads through a way to the object store that can be made to fail. */
  readonly faultyStore?: true;
}

interface Scene {
  readonly session: Session;
  readonly waiting: Waiting;
  readonly namespace: string;
  readonly objects: Objects;
}

/** The datasets of a scenario: their objects, what lies in them, and their ways to the object store, which end with it. */
export class Datasets implements AsyncDisposable {
  readonly #scene: Scene;
  readonly #files = new Map<string, Readonly<Record<string, Uint8Array>>>();
  readonly #stores = new Map<string, FaultyStore>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Those that were created so far. */
  get names(): readonly string[] {
    return [...this.#files.keys()];
  }

  filesOf(name: string): Readonly<Record<string, Uint8Array>> {
    return this.#files.get(name) ?? documentedFiles;
  }

  storeOf(name: string): FaultyStore | undefined {
    return this.#stores.get(name);
  }

  /** Secret, Dataset and JindoRuntime of the document, over the document's files; what becomes of them is not waited for. */
  async apply(name: string, differences: DatasetDifferences = {}): Promise<void> {
    const { files, directories, faultyStore, ...options } = differences;
    const { session, objects } = this.#scene;
    if (faultyStore) this.#stores.set(name, await session.cluster.openFaultyStore());
    const { endpoint = session.cluster.store.endpoint } = this.#stores.get(name) ?? {};
    const store = { ...session.cluster.store, endpoint };
    const directory = await this.fill(name, { ...(files && { files }), ...(directories && { directories }) });
    await createUnlessThere(objects, secret(store));
    for (const manifest of dataset({ name, store, directory, ...options })) await objects.create(manifest);
  }

  /** Puts the files of a dataset into the bucket, whoever creates it. Their directory there. */
  async fill(
    name: string,
    { files = documentedFiles, directories = [] }: Pick<DatasetDifferences, 'files' | 'directories'> = {},
  ): Promise<string> {
    const { session, namespace } = this.#scene;
    const directory = `${namespace}/${name}`;
    this.#files.set(name, files);
    for (const [file, bytes] of Object.entries(files)) await session.cluster.putObject(`${directory}/${file}`, bytes);
    for (const name of directories) await session.cluster.putObject(`${directory}/${name}/.keep`, Buffer.from('keep'));
    return directory;
  }

  /** Until the Dataset is bound. */
  async create(name: string, differences?: DatasetDifferences): Promise<void> {
    const { objects, waiting } = this.#scene;
    await this.apply(name, differences);
    await waiting.poll({
      what: `Dataset ${name} is Bound`,
      look: () => objects.datasetStatus(name),
      until: ({ phase }) => phase === 'Bound',
      say: ({ phase, message }) => `phase ${phase || '(none)'} ${message}`,
    });
  }

  async ensure(name: string): Promise<void> {
    if (!this.#files.has(name)) await this.create(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores.values()) await store[Symbol.asyncDispose]();
    this.#stores.clear();
  }
}

async function createUnlessThere(objects: Objects, manifest: Manifest): Promise<void> {
  await objects.create(manifest).catch((error: { readonly code?: number }) => {
    if (error.code !== 409) throw error;
  });
}

/** SHA-256 of each file, in hex. */
export function checksums(files: Readonly<Record<string, Uint8Array>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).map(([file, bytes]) => [file, createHash('sha256').update(bytes).digest('hex')]),
  );
}
