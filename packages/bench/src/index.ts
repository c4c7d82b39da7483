// The comparison's parts that stand on their own; `main.ts` is the command.
export * from './cell.ts';
export * from './kafka-system.ts';
export * from './options.ts';
export * from './process-usage.ts';
export * from './report.ts';
