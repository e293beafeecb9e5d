import { defineParameterType } from '@cucumber/cucumber';

defineParameterType({
  name: 'duration',
  regexp: /(\d+(?:\.\d+)?) (ms|s)/,
  transformer: (figure: string, unit: string) => Number(figure) * (unit === 's' ? 1000 : 1),
});

defineParameterType({
  name: 'subPathKind',
  regexp: /subPath in an init container|subPathExpr|subPath/,
  transformer: (kind: string) => kind,
});
