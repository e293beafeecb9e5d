import { defineParameterType } from '@cucumber/cucumber';

defineParameterType({
  name: 'duration',
  regexp: /(\d+(?:\.\d+)?) (ms|s)/,
  transformer: (figure: string, unit: string) => Number(figure) * (unit === 's' ? 1000 : 1),
});
