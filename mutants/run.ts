import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, type Sentence } from './judge.ts';
import { DoesNotApply, inOneLine, type Judge, type Mutant } from './mutant.ts';
import { mutants } from './table.ts';
import { TreeCopy } from './tree-copy.ts';

const usage = `Usage: make mutants ARGS="[--only TEXT]... [--list] [--unchecked] [--jobs NUMBER]"

Breaks copies of the tree, one breakage at a time in each, and says which checks notice. The tree itself stays as it is.

  --only TEXT    the breakages of a claim, or whose name holds the text; may be given again
  --list         list them, and break nothing
  --unchecked    without looking first whether the tree is green as it is
  --jobs NUMBER  copies that are worked on at once (default: 2)

Exit status: 0 all were noticed; 1 one survived, does not apply or could not be judged; 2 usage.
`;

const project = fileURLToPath(new URL('..', import.meta.url));
const defaultJobs = 2;
const write = (text: string) => void process.stdout.write(`${text}\n`);

type Outcome =
  | { readonly is: 'killed'; readonly by: readonly string[] }
  | { readonly is: 'survived'; readonly by: readonly string[] }
  | { readonly is: 'error'; readonly why: string };

const options = {
  only: { type: 'string', multiple: true },
  list: { type: 'boolean' },
  unchecked: { type: 'boolean' },
  jobs: { type: 'string' },
  help: { type: 'boolean' },
} as const;

async function main(): Promise<number> {
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (values.help) {
    write(usage);
    return 0;
  }
  const jobs = Number(values.jobs ?? defaultJobs);
  if (!Number.isInteger(jobs) || jobs < 1) return refuse(`--jobs takes a number from 1, not "${values.jobs}"`);
  const wanted = mutants.filter(({ name, claim }) =>
    (values.only ?? ['']).some((text) => claim === text || name.includes(text)),
  );
  if (wanted.length === 0) {
    return refuse(`none is called ${values.only?.join(' or ')}: --list shows what there is`);
  }
  if (values.list) {
    for (const { claim, name, edits } of wanted) write(`${claim}\t${name}\n\t${edits.map(inOneLine).join('; ')}`);
    return 0;
  }
  const red = values.unchecked ? [] : await redBefore(wanted);
  if (red.length > 0) {
    write(`the tree is red without any breakage, so nothing can be shown:\n  ${red.join('\n  ')}`);
    return 1;
  }
  write(`… ${wanted.length} breakages, ${jobs} at a time`);
  const bad: string[] = [];
  const waiting = wanted.values();
  const work = async (): Promise<void> => {
    using tree = new TreeCopy(project);
    for (const mutant of waiting) {
      const outcome = await tryOut(tree, mutant);
      tell(mutant, outcome);
      if (outcome.is !== 'killed') bad.push(mutant.name);
    }
  };
  // A check that turns red mostly waits for what does not come.
  await Promise.all(Array.from({ length: jobs }, work));
  write(`\n${wanted.length} breakages, ${wanted.length - bad.length} noticed.`);
  if (bad.length > 0) write(`Not noticed, or not judged: ${bad.join('; ')}.`);
  return bad.length > 0 ? 1 : 0;
}

function refuse(why: string): number {
  process.stderr.write(`mutants: ${why}\n`);
  return 2;
}

/** Judges that fail on the unmodified tree, and so cannot detect a breakage. */
async function redBefore(chosen: readonly Mutant[]): Promise<readonly string[]> {
  using tree = new TreeCopy(project);
  const judges = chosen.flatMap((mutant) => mutant.judges);
  const expressions = new Set(judges.flatMap((by) => ('scenarios' in by ? [`(${by.scenarios})`] : [])));
  const tests = new Set(judges.flatMap((by) => ('test' in by ? [by.test] : [])));
  const all: readonly Judge[] = [
    ...(expressions.size > 0 ? [{ scenarios: [...expressions].join(' or ') }] : []),
    ...[...tests].map((test) => ({ test })),
  ];
  write(`… seeing that ${all.length} checks are green in the tree as it is`);
  const red: string[] = [];
  for (const by of all) red.push(...complaints(await judge(tree.path, by)));
  return red;
}

const complaints = (sentence: Sentence) => ('broken' in sentence ? [sentence.broken] : sentence.red);

/** The first judge that notices is enough. */
async function tryOut(tree: TreeCopy, { edits, judges }: Mutant): Promise<Outcome> {
  const green: string[] = [];
  try {
    using _broken = tree.breakBy(edits);
    for (const by of judges) {
      const sentence = await judge(tree.path, by);
      if ('broken' in sentence) return { is: 'error', why: sentence.broken };
      if (sentence.red.length > 0) return { is: 'killed', by: sentence.red };
      green.push(...sentence.green);
    }
    return { is: 'survived', by: green };
  } catch (error) {
    if (error instanceof DoesNotApply) return { is: 'error', why: error.message };
    throw error;
  }
}

function tell({ claim, name, edits }: Mutant, outcome: Outcome): void {
  write(`${claim}  ${name}`);
  for (const edit of edits) write(`    ${edit.file}: ${inOneLine(edit)}`);
  switch (outcome.is) {
    case 'killed':
      for (const line of outcome.by.slice(0, 3)) write(`    red: ${line}`);
      if (outcome.by.length > 3) write(`    red: and ${outcome.by.length - 3} more`);
      return;
    case 'survived':
      write(`    SURVIVED: ${outcome.by.join('; ')} stayed green`);
      return;
    case 'error':
      write(`    ERROR: ${outcome.why}`);
  }
}

process.exit(await main());
