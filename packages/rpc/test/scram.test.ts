import { expect } from 'chai';
import fc from 'fast-check';
import type { ScramMechanism } from '@tidemark/core';
import {
  finishExchange,
  parseClientFirst,
  ScramClient,
  ScramError,
  scramKeysOf,
  serverFirstMessage,
} from '@tidemark/rpc';

describe('SCRAM', () => {
  it('speaks as in RFC 7677, section 3', async () => {
    const client = new ScramClient('SCRAM-SHA-256', 'user', 'pencil', 'rOprNGfwEbeRWgbNEkqO');
    expect(client.first.toString()).to.equal('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const serverFirst = serverFirstMessage(nonce, { salt, iterations: 4096 });
    const final = await client.final(Buffer.from(serverFirst));
    expect(final.toString()).to.equal(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
    const { bare: clientFirstBare } = parseClientFirst(client.first);
    const keys = await scramKeysOf('SCRAM-SHA-256', 'pencil', 4096, salt);
    const exchange = { mechanism: 'SCRAM-SHA-256', clientFirstBare, serverFirst, nonce, keys } as const;
    const answer = finishExchange(exchange, final);
    expect(answer?.toString()).to.equal('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(client.isServer(answer!)).to.equal(true);
    expect(client.isServer(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`))).to.equal(false);
  });

  async function exchange(
    mechanism: ScramMechanism,
    user: string,
    known: string,
    given: string,
  ): Promise<boolean> {
    const keys = await scramKeysOf(mechanism, known, 4096);
    const client = new ScramClient(mechanism, user, given);
    const first = parseClientFirst(client.first);
    expect(first.user).to.equal(user);
    const nonce = `${first.nonce}server`;
    const serverFirst = serverFirstMessage(nonce, keys);
    const final = await client.final(Buffer.from(serverFirst));
    const answer = finishExchange(
      { mechanism, clientFirstBare: first.bare, serverFirst, nonce, keys },
      final,
    );
    return answer !== undefined && client.isServer(answer);
  }

  it('lets in who knows the password, whatever the names, and nobody else', async () => {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      for (const user of ['ann', 'a,b=c', 'é=2C']) {
        expect(await exchange(mechanism, user, 'sécret', 'sécret'), user).to.equal(true);
        expect(await exchange(mechanism, user, 'secret', 'secret '), user).to.equal(false);
      }
    }
  });

  it('refuses what is no message, without ever reading past it', () => {
    for (const text of [
      '',
      'n,,',
      'n,a=x,n=u,r=x',
      'p=tls-unique,,n=u,r=x',
      'n,,m=x,n=u,r=x',
      'n,,n=,r=x',
      'n,,n=a=b,r=x',
      'n,,r=x,n=u',
      'n,,n=u,r=',
    ]) {
      expect(() => parseClientFirst(Buffer.from(text)), text).to.throw(ScramError);
    }
    const keys = { storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) };
    const at = {
      mechanism: 'SCRAM-SHA-256',
      clientFirstBare: 'n=u,r=x',
      serverFirst: 'r=xy,s=,i=1',
      nonce: 'xy',
      keys,
    } as const;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `c=biws,r=xy,p=${text}`),
        ),
        (text) => {
          try {
            expect(finishExchange(at, Buffer.from(text))).to.equal(undefined);
          } catch (error) {
            expect(error).to.be.instanceOf(ScramError);
          }
        },
      ),
    );
  });

  it('does not let a server make it work without end, or answer another exchange', async () => {
    const client = new ScramClient('SCRAM-SHA-256', 'ann', 'secret', 'abc');
    const salt = Buffer.alloc(16).toString('base64');
    for (const text of [
      `r=abcd,s=${salt},i=10000000`,
      `r=abcd,s=${salt},i=1`,
      `r=abc,s=${salt},i=4096`,
      `r=xyz,s=${salt},i=4096`,
    ]) {
      const error = await client.final(Buffer.from(text)).then(
        () => undefined,
        (each: unknown) => each,
      );
      expect(error, text).to.be.instanceOf(ScramError);
    }
  });
});
