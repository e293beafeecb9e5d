export interface Flags {
  readonly port: number;
  readonly token: string;
}

/** Reads `--port=0 --token=...`; a string is the sentence that says what is wrong. */
export function parseFlags(argv: readonly string[]): Flags | string {
  const known = new Map<string, string>();
  for (const argument of argv) {
    const [, name = '', value = ''] = /^--([a-z]+)=(.*)$/s.exec(argument) ?? [];
    if (name !== 'port' && name !== 'token') return `unknown flag ${argument}; accepted: --port=0, --token=TOKEN`;
    known.set(name, value);
  }
  const port = Number(known.get('port') ?? 0);
  const token = known.get('token') ?? '';
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return `--port=${known.get('port')}: a port is 0 to 65535`;
  if (token === '') return '--token=TOKEN is needed: every request has to bring it';
  return { port, token };
}
