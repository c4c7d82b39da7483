// A broker behind a SASL listener, with an authorizer, and callers of several names: each call carries a token as a client would have
// got it. There is a second listener without authentication, whose callers are ANONYMOUS, for the test's own administration.

import type { Metadata } from '@grpc/grpc-js';
import { Client, credentials, InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { type AclBinding } from '@tidemark/controller';
import type { ScramMechanism } from '@tidemark/core';
import { authService, ScramClient, scramKeysOf, securityService, type CallDefinition } from '@tidemark/rpc';
import { TestBroker } from './harness.ts';

const LISTENERS = 'CLIENT://127.0.0.1:0,CLIENT_SASL://127.0.0.1:0,HTTP://127.0.0.1:0';

export type Binding = Pick<AclBinding, 'resourceType' | 'resourceName' | 'principal' | 'operation'> &
  Partial<AclBinding>;

/** A client of a listener, with headers of its own. */
export class TestCaller {
  readonly client: Client;

  constructor(port: number, headers: Readonly<Record<string, string>> = {}) {
    const named: Interceptor = (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start: (metadata: Metadata, listener, next) => {
          for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
          next(metadata, listener);
        },
      });
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      interceptors: [named],
    });
  }

  call<I, O>(method: CallDefinition<I, O>, request: I): Promise<O> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
        if (error) reject(error);
        else resolve(answer!);
      });
    });
  }
}

export class SecuredBroker {
  readonly broker: TestBroker;
  readonly admin: TestCaller;
  readonly #callers: TestCaller[] = [];

  private constructor(broker: TestBroker) {
    this.broker = broker;
    this.admin = this.caller('CLIENT');
  }

  /** ANONYMOUS may do everything on the one listener; on the other there is no such caller. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<SecuredBroker> {
    const broker = await TestBroker.start({
      listeners: LISTENERS,
      'listener.security.protocol.map': 'CLIENT_SASL:SASL_PLAINTEXT',
      'authorizer.class.name': 'StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'connection.failed.authentication.delay.ms': '0',
      ...settings,
    });
    return new SecuredBroker(broker);
  }

  port(listener: string): number {
    return this.broker.broker.ports.get(listener)!;
  }

  caller(listener = 'CLIENT_SASL', headers: Readonly<Record<string, string>> = {}): TestCaller {
    const made = new TestCaller(this.port(listener), headers);
    this.#callers.push(made);
    return made;
  }

  async createUser(
    user: string,
    password: string,
    mechanism: ScramMechanism = 'SCRAM-SHA-256',
  ): Promise<void> {
    const { salt, storedKey, serverKey, iterations } = await scramKeysOf(mechanism, password, 4096);
    const upsertion = { user, mechanism, salt, storedKey, serverKey, iterations } as never;
    const { results } = await this.admin.call(securityService.AlterScramCredentials, {
      upsertions: [upsertion],
    });
    if (results[0]!.error !== null) throw new Error(results[0]!.error.message);
  }

  /** The token, or the name of the error. */
  async authenticate(user: string, password: string, mechanism: ScramMechanism = 'SCRAM-SHA-256') {
    const caller = this.caller();
    const client = new ScramClient(mechanism, user, password);
    const first = await caller.call(authService.StartAuthentication, {
      mechanism,
      clientFirst: client.first,
    });
    if (first.error !== null) return { error: first.error.name, serverFirst: '' };
    const clientFinal = await client.final(first.serverFirst);
    const last = await caller.call(authService.FinishAuthentication, {
      exchangeId: first.exchangeId,
      clientFinal,
    });
    const serverFirst = first.serverFirst.toString();
    if (last.error !== null) return { error: last.error.name, serverFirst };
    if (!client.isServer(last.serverFinal)) throw new Error('the server did not prove itself');
    return { token: last.token, serverFirst };
  }

  /** A new user of this name, and a caller who is that user. */
  async as(user: string): Promise<TestCaller> {
    await this.createUser(user, `${user}-password`);
    const { token } = await this.authenticate(user, `${user}-password`);
    return this.caller('CLIENT_SASL', { authorization: `Bearer ${token}` });
  }

  async allow(...bindings: readonly Binding[]): Promise<void> {
    const acls = bindings.map((each) => ({
      patternType: 'literal',
      host: '*',
      permission: 'allow',
      ...each,
    }));
    const { results } = await this.admin.call(securityService.CreateAcls, { acls });
    for (const { error } of results) if (error !== null) throw new Error(error.message);
  }

  async stop(): Promise<void> {
    for (const { client } of this.#callers) client.close();
    await this.broker.stop();
  }
}
