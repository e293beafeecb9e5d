import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { Environment } from '../environment.ts';
import { unknown, WrongArgument } from './options.ts';

export interface KubeConfigFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Loads the kubeconfig as kubectl does: the flag, KUBECONFIG (several files are merged), or ~/.kube/config; selects the given context. */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigFlags, { cwd, env }: Environment): KubeConfig {
  const given = kubeconfig ?? (env.KUBECONFIG || undefined);
  const paths = given?.split(delimiter).filter((path) => path !== '') ?? [join(env.HOME ?? '/', '.kube/config')];
  const found = paths.map((path) => resolve(cwd, path)).filter((path) => existsSync(path));
  if (found.length === 0)
    throw new WrongArgument(`there is no kubeconfig at ${paths.join(', ')}: name one with --kubeconfig or KUBECONFIG`);
  const config = merged(found.map(readOne));
  const names = config.getContexts().map(({ name }) => name);
  if (context !== undefined) {
    if (!names.includes(context)) throw unknown('context', context, names);
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null)
    throw new WrongArgument(`the kubeconfig names no current context: choose one with --context (${names.join(', ')})`);
  return config;
}

function readOne(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
    return config;
  } catch (error) {
    const [message] = String(error instanceof Error ? error.message : error).split('\n');
    throw new WrongArgument(`${path} is not a kubeconfig: ${message}`);
  }
}

/** Merges like kubectl: the first of equal names, and the first current context, wins. */
function merged(configs: readonly KubeConfig[]): KubeConfig {
  const distinct = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
    [...new Map(all.toReversed().map((one) => [one.name, one])).values()].reverse();
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: distinct(configs.flatMap((one) => one.getClusters())),
    users: distinct(configs.flatMap((one) => one.getUsers())),
    contexts: distinct(configs.flatMap((one) => one.getContexts())),
    currentContext: configs.map((one) => one.getCurrentContext()).find((name) => name) ?? '',
  });
  return config;
}
