import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const file = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** The rules of the PrometheusRule, in the form that Prometheus itself reads. */
export function ruleGroups(): { readonly groups: readonly { readonly rules: readonly Alert[] }[] } {
  const documents = parseAllDocuments(file('prometheus-operator.yaml')).map((each) => each.toJS());
  return documents.find(({ kind }) => kind === 'PrometheusRule').spec;
}

export const alerts = (): readonly Alert[] => ruleGroups().groups.flatMap(({ rules }) => rules);

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}

export interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

export const dashboard = (): Dashboard => JSON.parse(file('grafana-dashboard.json'));
