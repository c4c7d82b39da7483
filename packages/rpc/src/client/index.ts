export { CLIENT_ID_HEADER, type ScramLogin } from './channel-identity.ts';
export * from './channel.ts';
export * from './node-clock.ts';
export * from './produce-request.ts';
export * from './status-error.ts';
export * from './tls-credentials.ts';
