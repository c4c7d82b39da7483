export * from './definitions.ts';
export * from './client/index.ts';
export * from './server/index.ts';
export * from './messages.ts';
export * from './group-messages.ts';
export * from './quorum-messages.ts';
