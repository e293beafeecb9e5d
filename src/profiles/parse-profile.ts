import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BadProfile } from './bad-profile.ts';
import { type Profile, profileSchema } from './profile.ts';

type Path = readonly PropertyKey[];

/** Reads a profile from YAML. `file` is only for the message. @throws BadProfile for the first thing that is wrong. */
export function parseProfile(yaml: string, file: string): Profile {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    throw new BadProfile(file, { line: lines.linePos(broken.pos[0]).line, says: `is not YAML: ${broken.message}` });
  }
  const value: unknown = document.toJS();
  if (value === null) throw new BadProfile(file, { says: 'is empty' });
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw parsed.error;
  const line = lineOf(document, lines, issue);
  throw new BadProfile(file, { ...(line !== undefined && { line }), says: complaint(issue, value) });
}

/** The line of the field that is wrong; of the map around it where a field is missing. */
function lineOf(document: Document, lines: LineCounter, issue: z.core.$ZodIssue): number | undefined {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      const key = parent.items.find((pair) => String(pair.key) === String(path[length - 1]))?.key;
      if (isNode(key) && key.range) return lines.linePos(key.range[0]).line;
    }
    const item = document.getIn(path.slice(0, length), true);
    if (isNode(item) && item.range) return lines.linePos(item.range[0]).line;
  }
  return undefined;
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
