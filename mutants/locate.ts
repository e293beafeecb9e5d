import { parseSync } from 'oxc-parser';

/** One change of a source file. The names in `search` and `replace` are hints: each may have been renamed since. */
export interface Edit {
  /** Path from the project's folder. */
  readonly file: string;
  /** Function, method or class in which to search. Only needed if the file has several such passages. */
  readonly in?: string | undefined;
  /** An expression, statements, properties or members. `$name` matches any expression. Without it, the body of `in` is replaced. */
  readonly search?: string | undefined;
  /** Code for the same place; empty to delete it. */
  readonly replace: string;
}

/** The breakage no longer fits the sources and must be updated. */
export class DoesNotApply extends Error {
  readonly code = 'DOES_NOT_APPLY';
}

/** A node of the syntax tree, without what only formatting decides. */
interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode => typeof value === 'object' && value !== null && 'type' in value;

/** The whole program; undefined if it is not TypeScript. */
function parse(text: string): SyntaxNode | undefined {
  const { program, errors } = parseSync('source.ts', text, { preserveParens: false });
  return errors.length === 0 ? (program as unknown as SyntaxNode) : undefined;
}

function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const child of Object.values(node).flat().filter(isNode)) yield* walk(child);
}

/** A piece of code, parsed within something that makes it a program. */
interface Fragment {
  readonly nodes: readonly SyntaxNode[];
  /** Length of what stands before it. */
  readonly offset: number;
}

/** Statements, an expression, properties, members; and where their nodes are in the syntax tree of the program. */
const frames = [
  { before: 'async function* f() { for (;;) {', after: '\n} }', path: 'body.0.body.body.0.body.body' },
  { before: '(', after: '\n)', path: 'body.0.expression' },
  { before: '({', after: '\n})', path: 'body.0.expression.properties' },
  { before: 'class C {', after: '\n}', path: 'body.0.body.body' },
  { before: 'class C extends D { constructor() {', after: '\n} }', path: 'body.0.body.body.0.value.body.body' },
];

function parseFragment(code: string): Fragment | undefined {
  for (const { before, after, path } of frames) {
    const program: unknown = parse(before + code + after);
    const found = path
      .split('.')
      .reduce((value, field) => (value as Record<string, unknown> | undefined)?.[field], program);
    const nodes = [found].flat().filter(isNode);
    const [only] = nodes;
    // `key: value` would be a labelled statement.
    if (only === undefined || only.type === 'LabeledStatement') continue;
    const isExpression = nodes.length === 1 && only.type === 'ExpressionStatement' && !code.trimEnd().endsWith(';');
    return { nodes: isExpression ? [only.expression as SyntaxNode] : nodes, offset: before.length };
  }
  return undefined;
}

/** What a passage of the source calls the names of the pattern. */
interface Renaming {
  readonly names: Map<string, string>;
  readonly captured: Map<string, SyntaxNode>;
  agreeing: number;
}

const ignored = new Set(['start', 'end', 'range', 'raw', 'shorthand', 'directive']);
const optional = new Set(['typeAnnotation', 'returnType', 'typeArguments', 'typeParameters']);

/** Properties and variables are renamed independently of each other. */
const isPropertyName = (owner: SyntaxNode, field: string) =>
  (field === 'property' || field === 'key') && owner.computed !== true;

function matches(pattern: unknown, source: unknown, renaming: Renaming, space = 'variable'): boolean {
  if (Array.isArray(pattern))
    return (
      Array.isArray(source) &&
      pattern.length === source.length &&
      pattern.every((each, index) => matches(each, source[index], renaming))
    );
  if (!isNode(pattern) || !isNode(source)) return String(pattern) === String(source);
  if (pattern.type === 'Identifier' && String(pattern.name).startsWith('$')) {
    renaming.captured.set(String(pattern.name), source);
    return true;
  }
  if (pattern.type !== source.type) return false;
  if (typeof pattern.name === 'string')
    return isRenamed(`${space} ${pattern.name}`, `${space} ${source.name}`, renaming);
  return Object.entries(pattern).every(([field, value]) => {
    if (ignored.has(field) || (optional.has(field) && !value)) return true;
    // A template's text is an object without a type; so is a regular expression.
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isNode(value))
      return JSON.stringify(value) === JSON.stringify(source[field]);
    return matches(value, source[field], renaming, isPropertyName(pattern, field) ? 'property' : 'variable');
  });
}

/** One name of the pattern stands for one name of the source, and no two for the same. */
function isRenamed(from: string, to: string, renaming: Renaming): boolean {
  const known = renaming.names.get(from);
  if (known !== undefined) return known === to;
  if ([...renaming.names.values()].includes(to)) return false;
  renaming.names.set(from, to);
  if (from === to) renaming.agreeing += 1;
  return true;
}

interface Passage extends Renaming {
  readonly start: number;
  readonly end: number;
}

/** Every run of neighbours in the tree that has the shape of the pattern. */
function passages(root: SyntaxNode, pattern: readonly SyntaxNode[]): readonly Passage[] {
  const found: Passage[] = [];
  const compare = (nodes: readonly unknown[]) => {
    const renaming: Renaming = { names: new Map(), captured: new Map(), agreeing: 0 };
    const [first, last] = [nodes[0], nodes.at(-1)];
    if (matches(pattern, nodes, renaming) && isNode(first) && isNode(last))
      found.push({ ...renaming, start: first.start, end: last.end });
  };
  for (const node of walk(root)) {
    for (const value of Object.values(node)) {
      if (Array.isArray(value))
        for (let at = 0; at + pattern.length <= value.length; at += 1) compare(value.slice(at, at + pattern.length));
      else if (isNode(value) && pattern.length === 1) compare([value]);
    }
  }
  return found;
}

/** Functions and classes of that name. */
function named(root: SyntaxNode, name: string): readonly SyntaxNode[] {
  const has = (node: SyntaxNode) =>
    [node.id, node.key].some((id) => isNode(id) && id.name === name) &&
    (node.type.endsWith('Declaration') || isNode(node.value ?? node.init));
  return [...walk(root)].filter(has);
}

function bodyOf(owner: SyntaxNode): SyntaxNode | undefined {
  const body = [...walk(owner)].find((node) => isNode(node.body))?.body;
  return isNode(body) ? body : undefined;
}

/** The code in the names that the source uses today. */
function renamed(code: string, { names, captured }: Renaming, source: string): string {
  const fragment = parseFragment(code);
  if (fragment === undefined) return code;
  const changes = new Map<number, { readonly end: number; readonly text: string }>();
  const visit = (node: SyntaxNode, space: string) => {
    if (typeof node.name === 'string') {
      const { name } = node;
      const capture = captured.get(String(name));
      const now = names.get(`${space} ${name}`)?.split(' ')[1];
      const text = capture ? source.slice(capture.start, capture.end) : now;
      if (text !== undefined && text !== name) changes.set(node.start, { end: node.start + String(name).length, text });
    }
    for (const [field, value] of Object.entries(node)) {
      if (node.shorthand === true && field === 'key') continue;
      for (const child of [value].flat().filter(isNode))
        visit(child, isPropertyName(node, field) ? 'property' : 'variable');
    }
    const change = node.shorthand === true ? changes.get(node.start) : undefined;
    if (change && !change.text.includes(':'))
      changes.set(node.start, { ...change, text: `${(node.key as SyntaxNode).name}: ${change.text}` });
  };
  for (const node of fragment.nodes) visit(node, 'variable');
  let result = code;
  for (const [start, { end, text }] of [...changes].sort(([a], [b]) => b - a))
    result = result.slice(0, start - fragment.offset) + text + result.slice(end - fragment.offset);
  return result;
}

/**
 * The passage that an edit means: the one with the most names in common among those with the shape of `search`. A rename of
 * anything, another layout or added types do not matter.
 * @throws DoesNotApply if there is none, or if several fit equally well
 */
export function locate(
  text: string,
  edit: Edit,
): { readonly start: number; readonly end: number; readonly replacement: string } {
  const program = parse(text);
  if (program === undefined) throw new DoesNotApply(`${edit.file} is not TypeScript`);
  const owners = edit.in === undefined ? [] : named(program, edit.in);
  if (edit.search === undefined) {
    const body = owners.length === 1 && owners[0] ? bodyOf(owners[0]) : undefined;
    if (body === undefined) throw new DoesNotApply(`${edit.file} has ${owners.length} functions ${edit.in}`);
    return { start: body.start, end: body.end, replacement: `{ ${edit.replace} }` };
  }
  const pattern = parseFragment(edit.search);
  if (pattern === undefined) throw new DoesNotApply(`no code: ${edit.search}`);
  const found = passages(owners.length > 0 ? { ...program, body: owners } : program, pattern.nodes).toSorted(
    (a, b) => b.agreeing - a.agreeing,
  );
  const [best, second] = found;
  if (best === undefined) throw new DoesNotApply(`${edit.file} has nothing like ${edit.search}`);
  if (second !== undefined && second.agreeing === best.agreeing && second.start !== best.start)
    throw new DoesNotApply(`${edit.file} has several times ${edit.search}`);
  return { start: best.start, end: best.end, replacement: renamed(edit.replace, best, text) };
}

/** The file's text with the breakage in it. @throws DoesNotApply if there is no such passage, or the result is the same or no code */
export function applyEdit(text: string, edit: Edit): string {
  const { start, end, replacement } = locate(text, edit);
  const broken = text.slice(0, start) + replacement + text.slice(end);
  if (broken === text) throw new DoesNotApply(`${edit.file}: replaced by itself`);
  if (parse(broken) === undefined) throw new DoesNotApply(`${edit.file}: no code with ${replacement}`);
  return broken;
}
