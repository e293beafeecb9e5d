import { CannotRun } from '../cluster.ts';
import { call, type Ended, type Program } from '../program.ts';

export interface ImageBuild {
  readonly reference: string;
  readonly dockerfile: string;
  readonly context: string;
  /** Otherwise all that goes in is copied. */
  readonly network?: true;
}

/** Docker's program, as much of it as clusters of containers need. */
export interface Docker {
  hasImage(reference: string): Promise<boolean>;
  build(image: ImageBuild): Promise<void>;
  /** Brings an image that is not there. @throws CannotRun where it cannot be had */
  pull(reference: string): Promise<void>;
  /** Writes images into one archive. */
  save(references: readonly string[], path: string): Promise<void>;
}

/** Asks whether Docker answers first. @throws CannotRun where it does not, or is not there */
export async function connectDocker({ environment, signal }: Pick<Program, 'environment' | 'signal'>): Promise<Docker> {
  const program: Program = {
    name: 'docker',
    remedy: 'install Docker, as the nodes of the cluster are containers (docs.docker.com/engine/install)',
    environment,
    signal,
  };
  const docker = (...args: readonly string[]): Promise<Ended> => call(program, args);
  const { exitCode, why } = await call(program, ['version', '--format={{.Server.Version}}'], { timeoutMs: 20_000 });
  if (exitCode !== 0) {
    const remedy = 'start it (sudo systemctl start docker), or join its group (sudo usermod -aG docker $USER)';
    throw new CannotRun([{ what: `Docker does not answer (${why})`, remedy }]);
  }
  return {
    hasImage: async (reference) => (await docker('image', 'inspect', '--format=ok', reference)).exitCode === 0,
    async build({ reference, dockerfile, context, network }) {
      const networks = network ? [] : ['--network=none'];
      const argv = ['build', '--quiet', ...networks, `--tag=${reference}`, `--file=${dockerfile}`, context];
      const { exitCode, why } = await docker(...argv);
      if (exitCode === 0) return;
      throw new CannotRun([
        { what: `Docker cannot build ${reference} (${why})`, remedy: 'docker pull node:24-bookworm-slim, then again' },
      ]);
    },
    async pull(reference) {
      const { exitCode, why } = await docker('pull', '--quiet', reference);
      if (exitCode === 0) return;
      const remedy = 'docker load it, or give Docker a way to its registry';
      throw new CannotRun([{ what: `the image ${reference} is not there and cannot be pulled (${why})`, remedy }]);
    },
    async save(references, path) {
      const { exitCode, why } = await docker('save', `--output=${path}`, ...references);
      if (exitCode === 0) return;
      throw new CannotRun([{ what: `Docker cannot write the images to ${path} (${why})`, remedy: 'make room there' }]);
    },
  };
}
