import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

interface FileProblem {
  /** Line and column in the file, from 1, if the problem has a position. */
  readonly line?: number;
  readonly column?: number;
  /** Names the field and the accepted values. */
  readonly says: string;
}

/** A YAML file of the user that cannot be used. The message describes the first problem. Exit status 2. */
export class BadFile extends Error {
  readonly code = 'BAD_FILE';
  readonly file: string;
  /** Problems in the order of the file. */
  readonly problems: readonly [FileProblem, ...FileProblem[]];
  constructor(file: string, problems: readonly [FileProblem, ...FileProblem[]], options?: ErrorOptions) {
    super(`${formatPosition(file, problems[0])}: ${problems[0].says}`, options);
    this.file = file;
    this.problems = problems;
  }
}

/** Formats a position as compilers and editors do: `my.yaml:7:3`. */
function formatPosition(file: string, { line, column }: Pick<FileProblem, 'line' | 'column'>): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

/** Formats all problems of a file for people, each with its line of the file and a mark below the position. */
export function formatProblems({ file, problems }: BadFile, yaml: string): string {
  const source = yaml.split('\n');
  const paragraphs = problems.map((problem) => {
    const sentence = `${formatPosition(file, problem)}: ${problem.says}\n`;
    const { line, column } = problem;
    const text = line === undefined ? undefined : source[line - 1];
    if (line === undefined || text === undefined) return sentence;
    const margin = String(line).padStart(5);
    const mark = column === undefined ? '' : `${' '.repeat(margin.length)} | ${' '.repeat(column - 1)}^\n`;
    return `${sentence}${margin} | ${text}\n${mark}`;
  });
  return paragraphs.join('');
}

/** What a file contains. */
export interface FileKind<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** In messages, as in `a profile`. */
  readonly name: string;
}

/** Reads a YAML file's text. `file` is used only in messages. @throws BadFile with all problems */
export function parseYaml<Schema extends z.ZodType>(
  yaml: string,
  file: string,
  { schema, name }: FileKind<Schema>,
): z.infer<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const [broken, ...more] = document.errors.map(
    ({ pos, message }): FileProblem => ({ ...positionAt(lines, pos[0]), says: `is not YAML: ${message}` }),
  );
  if (broken !== undefined) throw new BadFile(file, [broken, ...more]);
  const value: unknown = document.toJS();
  if (value === null) throw new BadFile(file, [{ says: 'is empty' }]);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const describe = (issue: z.core.$ZodIssue) => describeIssue(issue, value, { schema, name });
  const [first, ...others] = parsed.error.issues
    .flatMap(splitUnknownKeys)
    .map((issue): FileProblem => ({ ...locateIssue(document, lines, issue), says: describe(issue) }))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  throw first === undefined ? parsed.error : new BadFile(file, [first, ...others]);
}

/** Splits an issue about unknown fields into one for each field. */
function splitUnknownKeys(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue];
}

interface Position {
  readonly line: number;
  readonly column: number;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** Position of the wrong value, of the name of an unknown field, or of the name of the map in which a field is missing. */
function locateIssue(document: Document, lines: LineCounter, issue: z.core.$ZodIssue): Position | undefined {
  const isUnknown = issue.code === 'unrecognized_keys';
  const path = isUnknown ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(path[length - 1])) : undefined;
    const isWhole = length === path.length && !isUnknown;
    const node = pair
      ? isWhole && hasText(pair.value)
        ? pair.value
        : pair.key
      : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return positionAt(lines, node.range[0]);
  }
  return undefined;
}

/** False if nothing follows the colon, and for a map or list, which begins on its own line. */
function hasText(value: unknown): boolean {
  return isScalar(value) && value.source !== undefined && value.source !== '';
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown, { schema, name }: FileKind<z.ZodType>): string {
  const field = issue.path.map(String).join('.') || `the ${name.replace(/^an? /, '')}`;
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0] ?? ''].map(String).join('.');
    return `${key} is not a field of ${name}; accepted here: ${fieldsAt(schema, issue.path).join(', ')}`;
  }
  const found = issue.path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  const is = found === undefined ? 'is missing' : `is ${JSON.stringify(found)}`;
  return `${field} ${is}; accepted: ${accepted(issue, schema)}`;
}

function accepted(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  if (issue.code === 'invalid_value') return issue.values.map(String).join(', ');
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'boolean') return 'true, false';
  if (issue.expected === 'object') return `a map with ${fieldsAt(schema, issue.path).join(', ')}`;
  if (issue.expected === 'array') return 'a list of text';
  return issue.message;
}

/** The fields that the map at a path may have. */
function fieldsAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let part = schema;
  for (const key of path) part = shapeOf(part)?.[String(key)];
  return Object.keys(shapeOf(part) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return shapeOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return shapeOf(schema.in);
  return schema instanceof z.ZodObject ? schema.shape : undefined;
}
