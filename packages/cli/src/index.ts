// The parts of the command that stand on their own: the formats, the offset grammar, the output. `main.ts` is the command.
export * from './bench/latency-histogram.ts';
export * from './command-context.ts';
export * from './commands/complete.ts';
export * from './exit.ts';
export * from './format/byte-sink.ts';
export * from './format/input-format.ts';
export * from './format/output-format.ts';
export * from './format/pattern.ts';
export * from './format/record-splitter.ts';
export * from './interruption.ts';
export * from './offset-spec.ts';
export * from './output/progress-line.ts';
export * from './output/quantity.ts';
export * from './output/report.ts';
export * from './output/yaml.ts';
export type { Host } from './program/command.ts';
export { makeProgram, VERSION } from './program/program.ts';
