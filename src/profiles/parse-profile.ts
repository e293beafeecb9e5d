import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BadProfile, type ProfileProblem } from './bad-profile.ts';
import { type Profile, profileSchema } from './profile.ts';

type Path = readonly PropertyKey[];

/** Reads a profile from YAML. `file` is only for the message. @throws BadProfile for all that is wrong */
export function parseProfile(yaml: string, file: string): Profile {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const [broken, ...more] = document.errors.map(
    ({ pos, message }): ProfileProblem => ({ ...placeAt(lines, pos[0]), says: `is not YAML: ${message}` }),
  );
  if (broken !== undefined) throw new BadProfile(file, [broken, ...more]);
  const value: unknown = document.toJS();
  if (value === null) throw new BadProfile(file, [{ says: 'is empty' }]);
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first, ...others] = parsed.error.issues
    .flatMap(oneByOne)
    .map((issue): ProfileProblem => ({ ...placeOfIssue(document, lines, issue), says: complaint(issue, value) }))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  throw first === undefined ? parsed.error : new BadProfile(file, [first, ...others]);
}

/** Each field that is not known is a problem of its own. */
function oneByOne(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue];
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** The value that is wrong; the name of a field that is not known; the name of the map in which one is missing. */
function placeOfIssue(document: Document, lines: LineCounter, issue: z.core.$ZodIssue): Place | undefined {
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
    if (isNode(node) && node.range) return placeAt(lines, node.range[0]);
  }
  return undefined;
}

/** False for a value that is left out after its colon, and for what begins on a line of its own. */
function hasText(value: unknown): boolean {
  return isScalar(value) && value.source !== undefined && value.source !== '';
}

function complaint(issue: z.core.$ZodIssue, value: unknown): string {
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
