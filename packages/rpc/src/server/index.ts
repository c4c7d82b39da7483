export * from './error-detail.ts';
export * from './fetch-codec.ts';
export * from './grpc-listener.ts';
export * from './health.ts';
export * from './log-service.ts';
export * from './partition-requests.ts';
export * from './produce-codec.ts';
export { GatheredMessage } from './protobuf-wire.ts';
export * from './reflection.ts';
