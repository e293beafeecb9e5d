import * as kubernetes from '@kubernetes/client-node';

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  /** `string`, `V1PodSpec`, `Array<V1Container>`, `{ [key: string]: string; }`. */
  readonly type: string;
}

interface Model {
  getAttributeTypeMap(): readonly Attribute[];
}

/**
 * Compares an object with its type in Kubernetes' OpenAPI, from which the models of the client library are generated. Returns
 * unknown fields and values of the wrong type. `type` is a name such as `V1Job`. Does not check for required fields.
 */
export function modelProblems(value: unknown, type: string, path = ''): readonly string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((item, index) => modelProblems(item, list, `${path}[${index}]`));
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    if (!isObject(value)) return [`${path} is no map`];
    return Object.entries(value).flatMap(([key, item]) => modelProblems(item, map, `${path}.${key}`));
  }
  const model = modelOf(type);
  if (model === undefined) return primitiveProblems(value, type, path);
  if (!isObject(value)) return [`${path} is no ${type}`];
  const attributes = new Map(model.getAttributeTypeMap().map((attribute) => [attribute.baseName, attribute]));
  return Object.entries(value).flatMap(([key, item]) => {
    const attribute = attributes.get(key);
    const at = path === '' ? key : `${path}.${key}`;
    return attribute === undefined ? [`${at} is no field of ${type}`] : modelProblems(item, attribute.type, at);
  });
}

function primitiveProblems(value: unknown, type: string, path: string): readonly string[] {
  const kinds: Readonly<Record<string, readonly string[]>> = {
    string: ['string'],
    number: ['number'],
    boolean: ['boolean'],
    IntOrString: ['number', 'string'],
  };
  const accepted = kinds[type];
  if (accepted === undefined) return [];
  return accepted.includes(typeof value) ? [] : [`${path} is a ${typeof value}, not a ${type}`];
}

function modelOf(type: string): Model | undefined {
  const found = (kubernetes as Readonly<Record<string, unknown>>)[type];
  return typeof found === 'function' && 'getAttributeTypeMap' in found ? (found as unknown as Model) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
