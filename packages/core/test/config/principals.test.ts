import { expect } from 'chai';
import {
  checkMappingRules,
  checkPrincipalPatterns,
  matchesPrincipal,
  PrincipalMapper,
  principalsOf,
} from '@tidemark/core';

const nameOf = (rules: string, subject: string): string | undefined =>
  new PrincipalMapper(rules).nameOf(subject);

describe('the principal of a certificate', () => {
  const subject = 'CN=Kafka-01,OU=Servers,O=Example,C=US';

  it('is the whole subject by default', () => {
    expect(nameOf('DEFAULT', subject)).to.equal(subject);
  });

  it('is what the first rule that fits makes of it', () => {
    const rules = 'RULE:^CN=([^,]+),OU=Users,.*$/$1/,RULE:^CN=([^,]+),OU=Servers,.*$/$1.example/L,DEFAULT';
    expect(nameOf(rules, subject)).to.equal('kafka-01.example');
    expect(nameOf(rules, 'CN=Duke,OU=Users,O=Sun')).to.equal('Duke');
    expect(nameOf(rules, 'CN=x')).to.equal('CN=x');
    expect(nameOf('RULE:^CN=(\\w+)$/$1/U', 'CN=ann')).to.equal('ANN');
    expect(nameOf('RULE:^CN=(.*?)\\/(.*)$/$2\\/$1/', 'CN=a/b')).to.equal('b/a');
  });

  it('is nobody when no rule fits, or a rule would fit only a part', () => {
    expect(nameOf('RULE:^CN=ann$/ann/', subject)).to.equal(undefined);
    expect(nameOf('RULE:CN=ann/root/', 'CN=anna,O=CN=ann')).to.equal(undefined);
    expect(nameOf('DEFAULT', 'x'.repeat(2_000))).to.equal(undefined);
  });

  it('has rules that are refused when they are none', () => {
    for (const rules of ['RULE:a', 'RULE:(/x/', 'default', 'DEFAULT;DEFAULT', 'RULE:a/b/c/']) {
      expect(checkMappingRules(rules), rules).to.have.property('cause');
    }
    expect(checkMappingRules('RULE:^CN=(.*)$/$1/ , DEFAULT')).to.equal(undefined);
  });
});

describe('a list of principals', () => {
  it('is separated by semicolons and may leave the end of a name open', () => {
    const patterns = principalsOf('User:CN=node-1,O=Example; User:CN=node-2*;');
    expect(matchesPrincipal(patterns, 'User:CN=node-1,O=Example')).to.equal(true);
    expect(matchesPrincipal(patterns, 'User:CN=node-1,O=Example2')).to.equal(false);
    expect(matchesPrincipal(patterns, 'User:CN=node-27,O=Example')).to.equal(true);
    expect(matchesPrincipal(patterns, 'User:CN=node-3,O=Example')).to.equal(false);
    expect(matchesPrincipal([], 'User:CN=node-1')).to.equal(false);
  });

  it('is refused when it means everybody', () => {
    for (const text of ['User:*', 'User:', 'CN=node-1', 'User:a;*']) {
      expect(checkPrincipalPatterns(text), text).to.have.property('cause');
    }
  });
});
