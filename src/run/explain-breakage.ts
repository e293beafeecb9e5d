import type { Profile } from '../profiles/profile.ts';

/**
 * What a run is about to do to someone else's cluster, one sentence each: printed before anything is created, to ask for consent.
 * `profile`: Rekindle's own if absent, whose agent is deployed.
 */
export function explainBreakage(profile: Profile | undefined, context: string): readonly string[] {
  const { commands, find, gate, process: fuse, volume } = profile ?? {};
  const { namespace, name, container } = find?.daemonSet ?? {};
  const plugin =
    find === undefined ? "Rekindle's agent, which is deployed for the run" : `DaemonSet ${namespace}/${name}`;
  const places = {
    pod: `container ${fuse?.pod?.container} of pods ${fuse?.pod?.selector} in ${fuse?.pod?.namespace}`,
    plugin: `processes of the node plugin like ${fuse?.plugin}`,
    host: `processes of the nodes like ${fuse?.host}`,
  };
  const [place] = (['pod', 'plugin', 'host'] as const).filter((each) => fuse?.[each] !== undefined);
  const victims = place === undefined ? 'FUSE daemons of Datasets' : places[place];
  return [
    `In ${context}, this run creates namespaces of its own, an object store and a program on each node, and deletes them afterwards.`,
    volume === undefined
      ? 'It creates Datasets and JindoRuntimes in its namespaces.'
      : `It creates ${volume.objects.map(({ kind }) => kind).join(', ')} for each volume of ${volume.driver}, and deletes them.`,
    `It kills ${victims}, for volumes that it creates itself.`,
    `It kills pods of ${plugin}, which serve other volumes, too.`,
    find === undefined
      ? 'No other Fluid may be installed there.'
      : gate === 'none'
        ? 'It changes no object that is there.'
        : `It turns the gate ${gate} on and off among the arguments of the container ${container}, and restores them.`,
    ...[...(commands?.before ?? []), ...(commands?.after ?? [])].map(
      (words) => `It runs on this machine: ${words.join(' ')}`,
    ),
  ];
}
