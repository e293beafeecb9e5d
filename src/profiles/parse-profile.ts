import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BadProfile, type ProfileProblem } from './bad-profile.ts';
import { type Profile, profileSchema } from './profile.ts';

type Path = readonly PropertyKey[];

/** Reads a profile from YAML. `file` is used only in messages. @throws BadProfile with all problems */
export function parseProfile(yaml: string, file: string): Profile {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const [broken, ...more] = document.errors.map(
    ({ pos, message }): ProfileProblem => ({ ...positionAt(lines, pos[0]), says: `is not YAML: ${message}` }),
  );
  if (broken !== undefined) throw new BadProfile(file, [broken, ...more]);
  const value: unknown = document.toJS();
  if (value === null) throw new BadProfile(file, [{ says: 'is empty' }]);
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first, ...others] = parsed.error.issues
    .flatMap(splitUnknownKeys)
    .map((issue): ProfileProblem => ({ ...locateIssue(document, lines, issue), says: describeIssue(issue, value) }))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  throw first === undefined ? parsed.error : new BadProfile(file, [first, ...others]);
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

function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  const field = issue.path.map(String).join('.') || 'the profile';
  if (issue.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0] ?? ''].map(String).join('.');
    return `${name} is not a field of a profile; accepted here: ${fieldsAt(issue.path).join(', ')}`;
  }
  const found = issue.path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  const is = found === undefined ? 'is missing' : `is ${JSON.stringify(found)}`;
  return `${field} ${is}; accepted: ${accepted(issue)}`;
}

function accepted(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return issue.values.map(String).join(', ');
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'boolean') return 'true, false';
  if (issue.expected === 'object') return `a map with ${fieldsAt(issue.path).join(', ')}`;
  if (issue.expected === 'array') return 'a list of text';
  return issue.message;
}

/** The fields that a map of a profile may have. */
function fieldsAt(path: Path): string[] {
  let schema: unknown = profileSchema;
  for (const key of path) schema = shapeOf(schema)?.[String(key)];
  return Object.keys(shapeOf(schema) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return shapeOf(schema.unwrap());
  return schema instanceof z.ZodObject ? schema.shape : undefined;
}
