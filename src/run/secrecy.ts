import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { isKeptOutOfOutput, isKeptOutOfProcesses, type ProcessSearch } from '../checks/secret-kept.ts';
import { findInFiles } from '../observers/secrets/find-in-files.ts';
import type { Trial } from '../scenario/trial.ts';
import type { CheckRecord } from '../timeline/record.ts';

const name = 'search of all processes';

/** Looks at every process of the node for the credentials of its pods. */
export async function credentialsStayInTheSecret(trial: Trial): Promise<CheckRecord> {
  const table = await trial.session.cluster.mountTable();
  const target = parseMountinfo(table.join('\n')).find(({ mountPoint }) => mountPoint.includes('/kubernetes.io~csi/'));
  const [kubeletRoot = ''] = target?.mountPoint.split('/pods/') ?? [];
  await trial.runProgram({ program: 'secrets', args: [kubeletRoot], name });
  await trial.happens(
    'the search of all processes is over',
    (event) => event.kind === 'output' && event.program === name,
  );
  const said = trial.history.findLast((event) => event.kind === 'output' && event.program === name);
  const search: ProcessSearch = JSON.parse(said?.kind === 'output' ? said.text : '{}');
  return isKeptOutOfProcesses(search);
}

/** Looks at everything that the run has written so far, for each of its keys. */
export function secretIsInNoOutput(resultsDir: string, secrets: readonly string[]): CheckRecord {
  const searches = secrets.map((secret) => findInFiles(resultsDir, secret));
  const found = [...new Set(searches.flatMap((search) => search.found))];
  return isKeptOutOfOutput({ files: searches[0]?.files ?? 0, found });
}
