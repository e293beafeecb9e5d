import * as cgroups from './cgroups.ts';
import type { NodeCondition, NodeDifferences } from './condition.ts';
import * as containerMounts from './container-mounts.ts';
import * as inlineVolumes from './inline-volumes.ts';
import * as kubelet from './kubelet.ts';
import * as neighbours from './neighbours.ts';
import * as sources from './sources.ts';
import * as tenants from './tenants.ts';

/** All node conditions by name, in order of names. */
export const conditions: ReadonlyMap<string, NodeCondition> = new Map(
  [cgroups, containerMounts, inlineVolumes, kubelet, neighbours, sources, tenants]
    .flatMap((group) => Object.values<NodeCondition>(group))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((condition) => [condition.name, condition]),
);

/**
 * Conditions that do not influence each other: each difference is of another part of the node, and none hides what another one shows.
 * Scenarios that are about some of them share a node.
 */
export const combinations: readonly (readonly string[])[] = [
  [
    ...['silent-neighbours', 'hung-neighbours', 'many-descriptors', 'second-kubelet'],
    ...['foreign-inline-volume', 'fuse-on-top', 'non-fuse-source'],
    ...['posing-tenant', 'mount-flood', 'nested-container', 'nested-kubelet', 'kubelet-root-twice'],
  ],
  ['kubelet-namespace', 'volume-data-lost', 'unreadable-file', 'kubelet-root', 'mount-root', 'mount-path-symlink'],
  ['no-kubelet-process', 'image-on-fuse', 'kubelet-root-symlink', 'read-only-root', 'cgroup-v2'],
  ['slow-listing', 'slow-termination'],
];

/** A condition as it is written, `NAME` or `NAME=VALUE`, with its differences; undefined if there is none such. */
export function findCondition(text: string): NodeCondition | undefined {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/.exec(text) ?? [];
  const condition = conditions.get(name);
  if (condition?.value === undefined) return value === undefined ? condition : undefined;
  const given = value ?? condition.value.default;
  if (!condition.value.isValid(given)) return undefined;
  return { ...condition, differences: condition.value.differences(given) };
}

/** The name of a condition as it can be written. */
export const spelling = ({ name, value }: NodeCondition) => (value === undefined ? name : `${name}=${value.name}`);

/** @throws if a name is unknown, which the command line has checked */
export function conditionsNamed(names: readonly string[]): readonly NodeCondition[] {
  return names.map((name) => {
    const condition = findCondition(name);
    if (!condition) throw new Error(`unknown node condition ${name}`);
    return condition;
  });
}

/** The differences of several conditions. Of the daemon's behaviours, all apply. */
export function combineDifferences(chosen: readonly NodeCondition[]): NodeDifferences {
  const all = chosen.flatMap(({ differences = {} }) => [differences]);
  const daemon = Object.assign({}, ...all.map((differences) => differences.daemon));
  return { ...Object.assign({}, ...all), ...(Object.keys(daemon).length > 0 && { daemon }) };
}
