import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { Environment } from '../environment.ts';
import { UsageError, unknown } from './usage-error.ts';

export interface KubeConfigFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The kubeconfig as kubectl finds it: the flag, KUBECONFIG (several files are merged), or ~/.kube/config; with the context that was asked for. */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigFlags, { cwd, env }: Environment): KubeConfig {
  const given = kubeconfig ?? (env.KUBECONFIG || undefined);
  const paths = given?.split(delimiter).filter((path) => path !== '') ?? [join(env.HOME ?? '/', '.kube/config')];
  const config = new KubeConfig();
  const found = paths.map((path) => resolve(cwd, path)).filter((path) => existsSync(path));
  if (found.length === 0)
    throw new UsageError(`there is no kubeconfig at ${paths.join(', ')}: name one with --kubeconfig or KUBECONFIG`);
  for (const [index, path] of found.entries()) {
    const one = new KubeConfig();
    try {
      one.loadFromFile(path);
    } catch (error) {
      throw new UsageError(`${path} is no kubeconfig: ${error instanceof Error ? error.message : error}`);
    }
    if (index === 0) config.loadFromString(one.exportConfig());
    else config.mergeConfig(one);
  }
  const names = config.getContexts().map(({ name }) => name);
  if (context !== undefined) {
    if (!names.includes(context)) throw unknown('context', context, names);
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null)
    throw new UsageError(`the kubeconfig names no current context: choose one with --context (${names.join(', ')})`);
  return config;
}
