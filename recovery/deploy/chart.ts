/**
 * Writes the Helm chart `recovery/deploy/chart` from the manifests of `rekindle deploy`. Run `node recovery/deploy/chart.ts` after a
 * change. Tests compare what Helm renders with the manifests, object by object.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubernetesObject } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';
import { version } from '../agent/version.ts';
import { fallbackRules, patchNodesRules } from './access.ts';
import { toYaml } from './kustomize.ts';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions, type ManifestOptions, names } from './options.ts';

const folder = fileURLToPath(new URL('./chart', import.meta.url));

/** Values of the manifests' options that are found again in their text, and the expressions that take their places. */
const marks = {
  namespace: 'rekindle-chart-namespace',
  image: 'rekindle-chart-image',
  kubeletRoot: '/rekindle-chart-kubelet',
  mountRoot: '/rekindle-chart-mounts',
  argument: '--rekindle-chart-argument',
} as const;

const marked: ManifestOptions = {
  ...defaultOptions,
  namespace: marks.namespace,
  image: marks.image,
  kubeletRoot: marks.kubeletRoot,
  mountRoot: marks.mountRoot,
  agentArgs: [marks.argument],
};

/** Values that add a flag to the agent, and the rules of RBAC that it needs. */
const optional = [
  { value: 'fallback', flag: '--fallback=annotated', rules: fallbackRules },
  { value: 'patchNodes', flag: '--patch-nodes=account', rules: patchNodesRules },
] as const;

const values = {
  image: defaultOptions.image,
  kubeletRoot: defaultOptions.kubeletRoot,
  mountRoot: defaultOptions.mountRoot,
  gates: { FuseRecovery: false, FuseStandby: false },
  fallback: false,
  patchNodes: false,
  beside: false,
  extraArgs: [],
  webhook: { enabled: true },
};

const comments: Readonly<Record<keyof typeof values | 'tolerations' | 'resources', string>> = {
  image: 'Image of the agent and the webhook.',
  kubeletRoot: "The kubelet's directory on the nodes, or a symbolic link to it.",
  mountRoot: 'Directory of the nodes below which FUSE daemons mount.',
  gates: 'Recovery is off by default. FuseStandby needs FuseRecovery.',
  fallback:
    'Pods that are left alone may ask for a restart or an eviction (docs/how-to/bring-back-a-pod-that-cannot-be-recovered.md).',
  patchNodes:
    "Label nodes, by which Fluid places FUSE daemons, with the agent's service account instead of the kubelet's kubeconfig.",
  beside:
    'Recovery only, alongside a node plugin that keeps publishing; without the webhook. Needs gates.FuseRecovery.',
  extraArgs: 'Further flags of the agent (docs/reference/agent.md).',
  webhook: 'The admission webhook.',
  tolerations: 'Of the agent, which belongs on every node.',
  resources: 'Of the agent.',
};

/** The files of the chart by path. */
export function chart(): ReadonlyMap<string, string> {
  const objects = manifests(marked);
  const agent = objects.find(({ kind }) => kind === 'DaemonSet');
  const { tolerations, containers } = parse(JSON.stringify(agent)).spec.template.spec;
  const all = { ...values, tolerations, resources: containers[0].resources };
  const info = {
    apiVersion: 'v2',
    name: 'rekindle-agent',
    description: 'Recovers FUSE mounts under running pods',
    type: 'application',
    version,
    appVersion: version,
    kubeVersion: '>=1.18.0-0',
  };
  const commented = Object.entries(all).map(
    ([key, value]) => `# ${comments[key as keyof typeof comments]}\n${stringify({ [key]: value }, { lineWidth: 0 })}`,
  );
  return new Map([
    ['Chart.yaml', stringify(info)],
    ['values.yaml', commented.join('\n')],
    ['templates/agent.yaml', template((options) => withoutWebhook(manifests(options)), '{{- if not .Values.beside }}')],
    ['templates/beside.yaml', template(besideManifests, '{{- if .Values.beside }}')],
    [
      'templates/webhook.yaml',
      template(
        (options) =>
          manifests(options).filter(
            (object) => !withoutWebhook(manifests(options)).some((each) => isSame(each, object)),
          ),
        '{{- if and .Values.webhook.enabled (not .Values.beside) }}',
      ),
    ],
  ]);
}

const titleOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata?.name}`;
const isSame = (a: KubernetesObject, b: KubernetesObject) => titleOf(a) === titleOf(b);
const withoutWebhook = (objects: readonly KubernetesObject[]) =>
  objects.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata?.labels?.app !== names.webhook);

/** A template of all objects but the namespace, which Helm makes. What differs by an option is rendered in both ways. */
function template(render: (options: ManifestOptions) => readonly KubernetesObject[], condition: string): string {
  const documents = render(marked)
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => {
      const text = (options: Partial<ManifestOptions>) => {
        const found = render({ ...marked, ...options }).find((each) => isSame(each, object));
        return found === undefined ? '' : toYaml([found]);
      };
      const all = { agentArgs: [marks.argument, ...optional.map(({ flag }) => flag)] };
      const isOptional = object.kind === 'ClusterRole' && text(all) !== text({});
      const [plain, old] = [text(all), text({ ...all, appArmor: 'annotation' })].map((each) =>
        withExpressions(isOptional ? withOptionalRules(each) : each),
      );
      const isOld = 'semverCompare "<1.30-0" .Capabilities.KubeVersion.Version';
      return old === plain ? plain : `{{- if ${isOld} }}\n${old}{{- else }}\n${plain}{{- end }}\n`;
    });
  return `${condition}\n${documents.join('---\n')}{{- end }}\n`;
}

/** Renders a part of the text only if a value is set. */
const onlyIf = (value: string, part: string, text: string) =>
  text.replace(part, () => `{{- if .Values.${value} }}\n${part}{{- end }}\n`);

/** Makes the rules optional that the flags need. */
const withOptionalRules = (text: string) =>
  optional
    .flatMap(({ value, rules }) => rules.map((rule) => ({ value, rule })))
    .reduce((now, { value, rule }) => onlyIf(value, stringify({ rules: [rule] }).replace('rules:\n', ''), now), text);

/** Whether the agent recovers pods with subPath, which the webhook must know. As in the agent, the last of a flag counts. */
const recoversSubPath =
  'hasSuffix "recover" (regexFindAll "(^| )--?sub-path[= ][^ ]*" (join " " .Values.extraArgs) -1 | last | default "")';

/** Replaces the marks in the text of an object. */
function withExpressions(text: string): string {
  return text
    .replace(/^( *)- rekindle-chart-namespace\n/m, (_, indent: string) => {
      const known = text.match(/^ *- (kube-\S+|fluid-system|\S+-system)$/gm)?.map((line) => line.trim().slice(2)) ?? [];
      const list = known.map((name) => JSON.stringify(name)).join(' ');
      return `${indent}{{- if not (has .Release.Namespace (list ${list})) }}\n${indent}- {{ .Release.Namespace }}\n${indent}{{- end }}\n`;
    })
    .replace(/^( *)- --rekindle-chart-argument\n((?: *- --.*\n)*)/m, (_, indent: string, flags: string) =>
      [
        optional.reduce((text, { value, flag }) => onlyIf(value, `${indent}- ${flag}\n`, text), flags).trimEnd(),
        `${indent}{{- range .Values.extraArgs }}`,
        `${indent}- {{ . | quote }}`,
        `${indent}{{- end }}`,
        '',
      ].join('\n'),
    )
    .replace(
      '--feature-gates=FuseRecovery=false',
      '--feature-gates=FuseRecovery={{ .Values.gates.FuseRecovery }}{{ if .Values.gates.FuseStandby }},FuseStandby=true{{ end }}',
    )
    .replace(
      /^( *)tolerations:\n\1 {2}- operator: Exists\n/m,
      (_, indent: string) =>
        `${indent}tolerations:\n${indent}  {{- toYaml .Values.tolerations | nindent ${indent.length + 2} }}\n`,
    )
    .replace(
      /^( *)resources:\n\1 {2}requests:\n\1 {4}cpu: 10m\n\1 {4}memory: 96Mi\n\1 {2}limits:\n\1 {4}memory: 384Mi\n/m,
      (_, indent: string) =>
        `${indent}resources:\n${indent}  {{- toYaml .Values.resources | nindent ${indent.length + 2} }}\n`,
    )
    .replace(
      /^( *)- --mount-root=.*\n/m,
      (line: string, indent: string) =>
        `${line}${indent}{{- if ${recoversSubPath} }}\n${indent}- --sub-path=recover\n${indent}{{- end }}\n`,
    )
    .replaceAll(marks.namespace, '{{ .Release.Namespace }}')
    .replaceAll(marks.image, '{{ .Values.image }}')
    .replaceAll(marks.kubeletRoot, '{{ .Values.kubeletRoot }}')
    .replaceAll(marks.mountRoot, '{{ .Values.mountRoot }}');
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of chart()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
