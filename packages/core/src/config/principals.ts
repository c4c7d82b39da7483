// Principals, as Kafka writes them: `User:` and a name. Lists of them are separated by semicolons, because the name of a
// certificate has commas.

/** Whoever has not said who he is. */
export const ANONYMOUS = 'User:ANONYMOUS';

export const userPrincipal = (name: string): string => `User:${name}`;

/** The members of a list of principals; empty ones count for nothing. */
export function principalsOf(text: string): readonly string[] {
  return text
    .split(';')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

/** Whether one of the patterns is this principal. A `*` at the end of a pattern stands for any rest. */
export function matchesPrincipal(patterns: readonly string[], principal: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? principal.startsWith(pattern.slice(0, -1)) : principal === pattern,
  );
}

export function checkPrincipals(text: string): { cause: string; remedy: string } | undefined {
  const alien = principalsOf(text).find((member) => !/^User:.+$/.test(member));
  return alien === undefined
    ? undefined
    : {
        cause: `${JSON.stringify(alien)} is no principal`,
        remedy: 'Give User:NAME[;User:NAME...], for example User:CN=node-1,O=Example;User:admin.',
      };
}

export function checkPrincipalPatterns(text: string): { cause: string; remedy: string } | undefined {
  const everybody = principalsOf(text).find((member) => /^User:\*?$/.test(member));
  if (everybody === undefined) return checkPrincipals(text);
  return {
    cause: `${JSON.stringify(everybody)} is everybody`,
    remedy: 'Give what the names have in common: User:CN=node-*.',
  };
}
