/**
 * Compiles the published definitions to the JSON that the agent loads, next to each `*.proto`:
 * `node recovery/csi/compile-protos.ts`. Parsing them at each start would take 8 ms of CPU.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const protos = ['csi.proto', 'registration.proto'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** The path of the compiled definition. */
export const compiledPath = (proto: string) => proto.replace(/\.proto$/, '.json');

/**
 * Converts a definition to one line of JSON for `Root.fromJSON` of protobufjs. Extensions are dropped: they are options for code
 * generators and would require the definition of options.
 */
export function compile(proto: string): string {
  const { root, imports = [] } = protobuf.parse(readFileSync(proto, 'utf8'), { keepCase: false });
  // The library knows all imports except the definition of options.
  for (const file of imports) root.addJSON(protobuf.common.get(file)?.nested ?? {});
  const withoutExtensions = (_: string, value: unknown) => ((value as Field | null)?.extend ? undefined : value);
  return `${JSON.stringify(root.toJSON(), withoutExtensions)}\n`;
}

type Field = { readonly extend?: string };

if (import.meta.main) for (const proto of protos) writeFileSync(compiledPath(proto), compile(proto));
