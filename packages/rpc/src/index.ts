export * from './definitions.ts';
export * from './client/index.ts';
export * from './server/index.ts';
export * from './messages.ts';
export * from './quorum-messages.ts';
export * from './tls-material.ts';
export * from './scram.ts';
export * from './security-messages.ts';
