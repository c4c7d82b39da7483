// The generated message types of AuthService and SecurityService, as in messages.ts.

export type { Acl, AclOutput } from './generated/tidemark/v1/Acl.ts';
export type {
  CreateAclsRequest,
  CreateAclsRequestOutput,
} from './generated/tidemark/v1/CreateAclsRequest.ts';
export type {
  CreateAclsResponse,
  CreateAclsResponseOutput,
} from './generated/tidemark/v1/CreateAclsResponse.ts';
export type {
  DeleteAclsRequest,
  DeleteAclsRequestOutput,
} from './generated/tidemark/v1/DeleteAclsRequest.ts';
export type {
  DeleteAclsResponse,
  DeleteAclsResponseOutput,
} from './generated/tidemark/v1/DeleteAclsResponse.ts';
export type {
  DescribeAclsRequest,
  DescribeAclsRequestOutput,
} from './generated/tidemark/v1/DescribeAclsRequest.ts';
export type {
  DescribeAclsResponse,
  DescribeAclsResponseOutput,
} from './generated/tidemark/v1/DescribeAclsResponse.ts';
export type {
  AlterClientQuotasRequest,
  AlterClientQuotasRequestOutput,
} from './generated/tidemark/v1/AlterClientQuotasRequest.ts';
export type {
  AlterClientQuotasResponse,
  AlterClientQuotasResponseOutput,
} from './generated/tidemark/v1/AlterClientQuotasResponse.ts';
export type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasRequestOutput,
} from './generated/tidemark/v1/DescribeClientQuotasRequest.ts';
export type {
  DescribeClientQuotasResponse,
  DescribeClientQuotasResponseOutput,
} from './generated/tidemark/v1/DescribeClientQuotasResponse.ts';
export type { QuotaEntity, QuotaEntityOutput } from './generated/tidemark/v1/QuotaEntity.ts';
export type { QuotaValue, QuotaValueOutput } from './generated/tidemark/v1/QuotaValue.ts';
export type { ScramCredential, ScramCredentialOutput } from './generated/tidemark/v1/ScramCredential.ts';
export type {
  AlterScramCredentialsRequest,
  AlterScramCredentialsRequestOutput,
} from './generated/tidemark/v1/AlterScramCredentialsRequest.ts';
export type {
  AlterScramCredentialsResponse,
  AlterScramCredentialsResponseOutput,
} from './generated/tidemark/v1/AlterScramCredentialsResponse.ts';
export type {
  DescribeScramCredentialsRequest,
  DescribeScramCredentialsRequestOutput,
} from './generated/tidemark/v1/DescribeScramCredentialsRequest.ts';
export type {
  DescribeScramCredentialsResponse,
  DescribeScramCredentialsResponseOutput,
} from './generated/tidemark/v1/DescribeScramCredentialsResponse.ts';
export type {
  StartAuthenticationRequest,
  StartAuthenticationRequestOutput,
} from './generated/tidemark/v1/StartAuthenticationRequest.ts';
export type {
  StartAuthenticationResponse,
  StartAuthenticationResponseOutput,
} from './generated/tidemark/v1/StartAuthenticationResponse.ts';
export type {
  FinishAuthenticationRequest,
  FinishAuthenticationRequestOutput,
} from './generated/tidemark/v1/FinishAuthenticationRequest.ts';
export type {
  FinishAuthenticationResponse,
  FinishAuthenticationResponseOutput,
} from './generated/tidemark/v1/FinishAuthenticationResponse.ts';
