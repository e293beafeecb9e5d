import { CannotRun } from '../cluster.ts';
import { runTool, type Tool, type ToolContext, type ToolResult } from '../tool.ts';

export interface ImageBuild {
  readonly reference: string;
  readonly dockerfile: string;
  readonly context: string;
  /** Absent: the build has no network. */
  readonly network?: true;
}

/** The commands of the docker CLI that clusters of containers need. */
export interface Docker {
  hasImage(reference: string): Promise<boolean>;
  build(image: ImageBuild): Promise<void>;
  /** @throws CannotRun if the image cannot be pulled */
  pull(reference: string): Promise<void>;
  /** Writes images into one archive. */
  save(references: readonly string[], path: string): Promise<void>;
}

/** @throws CannotRun if Docker is not installed or does not answer */
export async function connectDocker(context: ToolContext): Promise<Docker> {
  const tool: Tool = {
    name: 'docker',
    remedy: 'install Docker, as the nodes of the cluster are containers (docs.docker.com/engine/install)',
    ...context,
  };
  const docker = (...args: readonly string[]): Promise<ToolResult> => runTool(tool, args);
  const version = await runTool(tool, ['version', '--format={{.Server.Version}}'], { timeoutMs: 20_000 });
  if (version.exitCode !== 0) {
    const remedy = 'start it (sudo systemctl start docker), or join its group (sudo usermod -aG docker $USER)';
    throw new CannotRun([{ what: `Docker does not answer (${version.failure})`, remedy }]);
  }
  return {
    hasImage: async (reference) => (await docker('image', 'inspect', '--format=ok', reference)).exitCode === 0,
    async build({ reference, dockerfile, context, network }) {
      const networks = network ? [] : ['--network=none'];
      const args = ['build', '--quiet', ...networks, `--tag=${reference}`, `--file=${dockerfile}`, context];
      const { exitCode, failure } = await docker(...args);
      if (exitCode === 0) return;
      const remedy = 'docker pull node:24-bookworm-slim, then again';
      throw new CannotRun([{ what: `Docker cannot build ${reference} (${failure})`, remedy }]);
    },
    async pull(reference) {
      const { exitCode, failure } = await docker('pull', '--quiet', reference);
      if (exitCode === 0) return;
      const remedy = 'docker load it, or give Docker a way to its registry';
      throw new CannotRun([{ what: `the image ${reference} is missing and cannot be pulled (${failure})`, remedy }]);
    },
    async save(references, path) {
      const { exitCode, failure } = await docker('save', `--output=${path}`, ...references);
      if (exitCode === 0) return;
      const remedy = 'free disk space there';
      throw new CannotRun([{ what: `Docker cannot write the images to ${path} (${failure})`, remedy }]);
    },
  };
}
