import aws4 from 'aws4';

/** A bucket and, if known, its access keys. */
export interface NamedBucket {
  readonly source: string;
  readonly endpoint: string;
  readonly bucket: string;
  readonly keys?: { readonly accessKeyId: string; readonly accessKeySecret: string };
}

/** A Dataset's mount points, as the document has them (seed claims D2, D5). */
export interface DatasetBucket {
  readonly source: string;
  readonly namespace: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** Secret keys by the option whose value they hold. */
  readonly secrets: ReadonlyMap<string, { readonly name: string; readonly key: string }>;
}

/** The document's names of the options, and of the keys in its Secret. */
export const keyNames = { id: 'fs.oss.accessKeyId', secret: 'fs.oss.accessKeySecret' } as const;

interface DatasetLike {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: {
    readonly mounts?: readonly {
      readonly mountPoint?: string;
      readonly options?: Readonly<Record<string, string>>;
      readonly encryptOptions?: readonly {
        readonly name?: string;
        readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string; readonly key?: string } };
      }[];
    }[];
  };
}

/** The object storage of a Dataset. Omits mount points that are not object storage. */
export function parseDatasetBuckets({ metadata, spec }: DatasetLike): readonly DatasetBucket[] {
  const { name = '', namespace = '' } = metadata ?? {};
  return (spec?.mounts ?? []).flatMap(({ mountPoint = '', options = {}, encryptOptions = [] }): DatasetBucket[] => {
    const bucket = /^(?:oss|s3):\/\/([^/]+)/.exec(mountPoint)?.[1];
    const endpoint = options['fs.oss.endpoint'];
    if (bucket === undefined || endpoint === undefined) return [];
    const secrets = encryptOptions.flatMap(({ name: option, valueFrom }) => {
      const { name: secret, key } = valueFrom?.secretKeyRef ?? {};
      return option === undefined || secret === undefined || key === undefined
        ? []
        : [[option, { name: secret, key }] as const];
    });
    return [{ source: `dataset ${namespace}/${name}`, namespace, endpoint, bucket, secrets: new Map(secrets) }];
  });
}

/** Validity of a signature in seconds, long enough for a pod to be scheduled and start. */
const validSeconds = 300;

/** The URL of a HEAD request for a bucket: in path style, signed by AWS Signature 4, or unsigned with the bucket's own host for OSS. */
export function bucketUrl({ endpoint, bucket, keys }: NamedBucket): string {
  const base = new URL(endpoint.includes('://') ? endpoint : `https://${endpoint}`);
  if (base.hostname.endsWith('.aliyuncs.com')) return `${base.protocol}//${bucket}.${base.host}/`;
  const url = `${base.protocol}//${base.host}/${encodeURIComponent(bucket)}`;
  if (keys === undefined) return url;
  const path = `/${encodeURIComponent(bucket)}?X-Amz-Expires=${validSeconds}`;
  const asked = { service: 's3', region: 'us-east-1', method: 'HEAD', host: base.host, path, signQuery: true };
  const signed = aws4.sign(asked, { accessKeyId: keys.accessKeyId, secretAccessKey: keys.accessKeySecret });
  return `${base.protocol}//${base.host}${signed.path}`;
}
