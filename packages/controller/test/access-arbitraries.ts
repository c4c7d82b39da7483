// What records and commands about access have in common, drawn at random.

import fc from 'fast-check';
import { aclOperations, aclPatternTypes, aclPermissions, aclResourceTypes } from '@tidemark/controller';

export const bytes = fc.uint8Array({ maxLength: 70 });

/** The fields of an ACL, with `text` in those that are. */
export const aclOf = <T>(text: fc.Arbitrary<T>) => ({
  resourceType: fc.constantFrom(...aclResourceTypes),
  resourceName: text,
  patternType: fc.constantFrom(...aclPatternTypes),
  principal: text,
  host: text,
  operation: fc.constantFrom(...aclOperations),
  permission: fc.constantFrom(...aclPermissions),
});
