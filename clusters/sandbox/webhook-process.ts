import { startChild } from './child.ts';

export interface WebhookProcessOptions {
  /** How it is started, without its flags. */
  readonly command: readonly string[];
  readonly kubeconfig: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** Starts the admission webhook beside the agent, registered with the API server; resolves when pods are judged. */
export async function startWebhook({
  command,
  kubeconfig,
  environment,
  logFile,
}: WebhookProcessOptions): Promise<void> {
  const flags = ['--listen=127.0.0.1:0', `--kubeconfig=${kubeconfig}`, '--register=self'];
  const argv = [...command, ...flags];
  await startChild({ name: 'admission webhook', argv, environment, logFile, onLine: () => {} }).ready;
}
