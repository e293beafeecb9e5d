/**
 * Writes the published definitions as the agent loads them, `*.json` beside each `*.proto`: `node recovery/csi/compile-protos.ts`.
 * To parse them took 8 ms of CPU at each start.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const protos = ['csi.proto', 'registration/registration.proto'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** Path of what a definition is compiled to. */
export const compiledPath = (proto: string) => proto.replace(/\.proto$/, '.json');

/**
 * A definition as JSON on one line: what `Root.fromJSON` of protobufjs takes. Without its extensions, which are options of messages
 * and fields for those who generate code, and would bring the definition of options along.
 */
export function compile(proto: string): string {
  const { root, imports = [] } = protobuf.parse(readFileSync(proto, 'utf8'), { keepCase: false });
  // Those that the library knows: all but the definition of options.
  for (const file of imports) root.addJSON(protobuf.common.get(file)?.nested ?? {});
  const withoutExtensions = (_: string, value: unknown) => ((value as Field | null)?.extend ? undefined : value);
  return `${JSON.stringify(root.toJSON(), withoutExtensions)}\n`;
}

type Field = { readonly extend?: string };

if (import.meta.main) for (const proto of protos) writeFileSync(compiledPath(proto), compile(proto));
