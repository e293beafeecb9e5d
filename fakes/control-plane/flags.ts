export interface Flags {
  readonly port: number;
  readonly token: string;
}

/** Parses `--port=0 --token=...`; returns a sentence if they are wrong. */
export function parseFlags(argv: readonly string[]): Flags | string {
  const given = new Map<string, string>();
  for (const argument of argv) {
    const [, name = '', value = ''] = /^--([a-z]+)=(.*)$/s.exec(argument) ?? [];
    if (name !== 'port' && name !== 'token') return `unknown flag ${argument}; accepted: --port=0, --token=TOKEN`;
    given.set(name, value);
  }
  const port = Number(given.get('port') ?? 0);
  const token = given.get('token') ?? '';
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `--port=${given.get('port')}: must be between 0 and 65535`;
  if (token === '') return '--token=TOKEN is needed: every request must carry it';
  return { port, token };
}
