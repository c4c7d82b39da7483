export * from './errors.ts';
export * from './ids.ts';
export * from './invariant.ts';
export * from './ports/clock.ts';
export * from './ports/disk.ts';
export * from './ports/network.ts';
export * from './ports/prng.ts';
export * from './utf8.ts';
