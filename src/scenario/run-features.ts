import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { loadConfiguration, runCucumber } from '@cucumber/cucumber/api';
import type { Envelope } from '@cucumber/messages';

const features = (path: string) => fileURLToPath(new URL(`../../features/${path}`, import.meta.url));

export interface RunFeaturesOptions {
  /** Feature files and folders; empty for all that are shipped. */
  readonly paths: readonly string[];
  readonly tags?: string;
  /** The name under which the session is registered. */
  readonly session: string;
  readonly onMessage: (message: Envelope) => void;
}

/** Scenarios that take longer than all others together run only where their tag is asked for. */
function selectionOf(tags: string | undefined): string {
  if (tags === undefined) return 'not @long';
  return tags.includes('@long') ? tags : `(${tags}) and not @long`;
}

/** Runs feature files with Cucumber in this process; what comes of it is in the messages. */
export async function runFeatures({ paths, tags, session, onMessage }: RunFeaturesOptions): Promise<void> {
  // Ours is the only output: Cucumber's own goes nowhere.
  const environment = { cwd: features('..'), stdout: new PassThrough().resume(), stderr: new PassThrough().resume() };
  const { runConfiguration } = await loadConfiguration(
    {
      file: false,
      provided: {
        paths: paths.length > 0 ? [...paths] : [features('*.feature')],
        import: [features('support/*.ts'), features('step_definitions/*.ts')],
        tags: selectionOf(tags),
        worldParameters: { session },
      },
    },
    environment,
  );
  await runCucumber(runConfiguration, environment, onMessage);
}
