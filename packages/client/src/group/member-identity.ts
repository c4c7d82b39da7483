// Who a member is at the moment: the id it was given and the generation it belongs to. Requests carry it; what is answered for an
// earlier one no longer concerns the member.

export interface MemberIdentity {
  /** Empty: none yet. */
  readonly memberId: string;
  /** -1: it is in no generation. */
  readonly generation: number;
}

export const NOBODY: MemberIdentity = { memberId: '', generation: -1 };
