import { defineParameterType } from '@cucumber/cucumber';
import { faults } from '../../src/faults/catalogue.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { together } from '../../src/faults/together.ts';

defineParameterType({
  name: 'duration',
  regexp: /(\d+(?:\.\d+)?) (ms|s)/,
  transformer: (figure: string, unit: string) => Number(figure) * (unit === 's' ? 1000 : 1),
});

const conjunction = ' and at once ';
const faultsByStep = new Map([...faults.values()].map((fault) => [fault.step, fault]));
const anyFault = [...faultsByStep.keys()].map((step) => step.replaceAll(/[^\w ]/g, '\\$&')).join('|');

/** A fault in the words of its `step`, or several that are injected at once. */
defineParameterType({
  name: 'fault',
  regexp: new RegExp(`(?:${anyFault})(?:${conjunction}(?:${anyFault}))*`),
  transformer(text: string): Fault {
    const parts = text.split(conjunction).flatMap((step) => faultsByStep.get(step) ?? []);
    const [only] = parts;
    return parts.length === 1 && only ? only : together(parts);
  },
});
