export * from './entry.ts';
export * from './message.ts';
export * from './observer.ts';
export * from './replica.ts';
