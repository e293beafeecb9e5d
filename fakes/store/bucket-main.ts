/**
 * Makes a bucket and says whether it is there: `node bucket-main.ts --endpoint=http://127.0.0.1:9000 --bucket=NAME --credentials=DIR`.
 * Beside MinIO in its pod, whose readiness it is: GET /readyz at port 9001 answers 200 as long as the bucket does. Ends on SIGTERM.
 */
import { createServer } from 'node:http';
import { requiredFlags } from '../required-flags.ts';
import { readCredentials } from './read-credentials.ts';
import { S3Client } from './s3/client.ts';

const port = 9001;
const log = (line: string): void => void process.stderr.write(`${line}\n`);

function refuse(why: string): never {
  log(why);
  process.exit(2);
}

const flags = requiredFlags(process.argv.slice(2), ['endpoint', 'bucket', 'credentials']);
if (typeof flags === 'string') refuse(flags);
const { endpoint, bucket } = flags;
const credentials = readCredentials(flags.credentials);
if (typeof credentials === 'string') refuse(credentials);
const client = new S3Client({ address: { endpoint, bucket }, credentials, timeoutMs: 5_000 });

/** One that is there already is as good as a new one. */
async function isThere(): Promise<string | undefined> {
  const found = await client.headBucket();
  if (found.ok) return undefined;
  const made = await client.createBucket();
  return made.ok ? undefined : made.failure.code;
}

createServer(async (_request, response) => {
  const why = await isThere();
  response.writeHead(why === undefined ? 200 : 503).end(`${why ?? bucket}\n`);
}).listen(port, () => log(`bucket ${bucket} at ${endpoint}`));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
