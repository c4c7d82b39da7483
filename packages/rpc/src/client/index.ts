export * from './channel.ts';
export * from './node-clock.ts';
export * from './status-error.ts';
