/** Who may do what: asks the policies of caller and resource, and remembers the answers. */
import { functionArn, type FunctionId, type Scope } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { IamSession, ManagedPolicy } from '#contracts/iam.ts'
import { deniedText } from '#contracts/policy-evaluation/denied-text.ts'
import { decide, type Decision } from '#contracts/policy-evaluation/evaluate.ts'
import type { DocumentCache } from '#documents/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Authorise, AuthoriseRequest } from '#wire/authorise.ts'
import type { Principal, ServiceSource } from '#wire/service.ts'

import { createDocumentViews } from './document-views.ts'
import { createIdentities } from './identities.ts'
import { ecrNeeds, imageNeeds } from './needs/ecr.ts'
import { eventsNeeds } from './needs/events.ts'
import { iamNeeds, stsNeeds } from './needs/iam.ts'
import { kmsNeeds } from './needs/kms.ts'
import { functionUrlNeeds, lambdaNeeds } from './needs/lambda.ts'
import { logsNeeds } from './needs/logs.ts'
import { accountOf, type Members, type Need, type ServiceNeeds } from './needs/need.ts'
import { schedulerNeeds } from './needs/scheduler.ts'
import { signerNeeds } from './needs/signer.ts'
import { snsNeeds } from './needs/sns.ts'
import { sqsNeeds } from './needs/sqs.ts'
import { createRequestKeys, type ResourceFacts } from './request-keys.ts'
import { createResources } from './resources.ts'

export interface Authorisation {
  /** Forgets everything, for good. */
  stop(): void
  readonly authorise: Authorise
  /**
   * Whether a request to a function's URL may come in: AWS asks for InvokeFunctionUrl and for InvokeFunction. Without a
   * caller only the function's own policy can allow it.
   */
  mayUseUrl(request: UrlRequest): Promise<boolean>
  /** Whether there is such a role and it lets Lambda act as it on the function's behalf. */
  mayAssume(roleArn: string, id: FunctionId): Promise<boolean>
  /** Whether there is such a role and it lets this service act as it. */
  mayServiceAssume(roleArn: string, source: ServiceSource): Promise<boolean>
  /** Throws AccessDeniedException unless the caller may decrypt with the key. */
  assertMayDecrypt(caller: Principal, region: string, kmsKeyArn: string): Promise<void>
  /** Whether the caller may have the images of a repository run. */
  mayReadImage(caller: Principal, repository: Scope & { readonly name: string }): Promise<boolean>
  /** Decisions in memory. */
  readonly remembered: number
}

export interface UrlRequest {
  readonly id: FunctionId
  /** Undefined: the URL of the function itself. */
  readonly qualifier: string | undefined
  readonly authType: 'NONE' | 'AWS_IAM'
  readonly caller: Principal | undefined
  readonly sourceIp: string | undefined
  readonly userAgent: string | undefined
}

const ROLE = /^arn:[^:]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/
/** No access key has this id, and no ARN is this text. */
const ANONYMOUS: Principal = { account: 'anonymous', arn: 'anonymous', accessKeyId: 'anonymous' }

const NEEDS: Readonly<Record<string, ServiceNeeds>> = {
  lambda: lambdaNeeds,
  logs: logsNeeds,
  iam: iamNeeds,
  sts: stsNeeds,
  kms: kmsNeeds,
  signer: signerNeeds,
  ecr: ecrNeeds,
  sns: snsNeeds,
  sqs: sqsNeeds,
  events: eventsNeeds,
  scheduler: schedulerNeeds,
}
/** What services call it whose protocol, or who themselves, have another name for it. */
const DENIED: ReadonlyMap<string, string> = new Map([
  ['iam', 'AccessDenied'],
  ['sts', 'AccessDenied'],
  ['sns', 'AuthorizationError'],
])

/** An operation that no table knows is about everything: only who may do everything may do it. */
function needsOf({ service, operation, input, principal, region }: AuthoriseRequest): readonly Need[] {
  const asking = { account: principal.account, region, arn: principal.arn }
  const table = NEEDS[service]
  const needs = table && Object.hasOwn(table, operation) ? table[operation] : undefined
  return needs
    ? needs(input as Members, asking)
    : [{ action: `${service}:${operation}`, resource: '*', account: asking.account }]
}

type Asked = Pick<AuthoriseRequest, 'principal' | 'region' | 'sourceIp' | 'userAgent'>

const MAX_DECISIONS = 20_000

/** Decisions are kept for one caller, action and resource until a document that they were made of changes. */
export function createAuthorisation(options: {
  /** Has to follow the store already. */
  readonly documents: Pick<DocumentCache, 'read' | 'onForget'>
  readonly clock: Clock
  readonly session: (accessKeyId: string) => IamSession | undefined
  readonly awsPolicies: ReadonlyMap<string, ManagedPolicy>
  readonly maxDecisions?: number
}): Authorisation {
  const { documents, clock, session, awsPolicies } = options
  const maxDecisions = options.maxDecisions ?? MAX_DECISIONS
  const decisions = new Map<string, Decision>()
  /** Changes when the decisions are forgotten, so that one under way is not kept. */
  let generation = 0
  const forget = () => {
    generation++
    decisions.clear()
  }
  const views = createDocumentViews({ documents, onForget: forget })
  const identities = createIdentities({ views, session, awsPolicies })
  const resources = createResources({ views })
  let isFollowing = true

  const keyOf = (accessKeyId: string, { action, resource }: Need) => `${accessKeyId}\n${action}\n${resource}`

  const remember = (key: string, decision: Decision) => {
    decisions.set(key, decision)
    const oldest = decisions.size > maxDecisions ? decisions.keys().next().value : undefined
    if (oldest !== undefined) decisions.delete(oldest)
  }

  const find = async (request: Asked, need: Need): Promise<Decision> => {
    const { principal, region, sourceIp, userAgent } = request
    const before = generation
    const identity = await identities.of(principal)
    const resource = need.policy && (await resources.policy(need.policy))
    const facts = { region, sourceIp, userAgent, nowMs: clock.now() }
    const ask = (itself: ResourceFacts | undefined) => {
      const keys = createRequestKeys(facts, { need, callerKeys: identity.keys, resource: itself })
      const { caller } = identity
      const decision = decide(
        { caller, action: need.action, resource: need.resource, context: keys.lookUp },
        {
          ...identity,
          resource,
          resourceAccount: need.account,
          // A key that is not there has no policy; KMS itself says so then.
          resourceMustAllow:
            need.policy?.kind === 'trust' || (need.policy?.kind === 'kms-key' && resource !== undefined),
        },
      )
      return { keys, decision }
    }
    let { keys, decision } = ask(undefined)
    if (keys.wantsResource && (need.tagged || need.mapping || need.policy?.kind === 'sqs-queue')) {
      ;({ keys, decision } = ask((await resources.facts(need)) ?? { tags: {}, keys: {} }))
    }
    if (isFollowing && !keys.isOfThisRequest && before === generation) {
      remember(keyOf(principal.accessKeyId, need), decision)
    }
    return decision
  }

  const decisionOf = async (request: Asked, need: Need): Promise<Decision> =>
    decisions.get(keyOf(request.principal.accessKeyId, need)) ?? (await find(request, need))

  const enforce = (
    request: Pick<AuthoriseRequest, 'principal' | 'service'>,
    need: Need,
    decision: Decision,
  ): void => {
    if (decision.allowed) return
    const { action, resource } = need
    // A role of another account can't be passed to a service, whatever policies say (as clients report it).
    const message =
      action === 'iam:PassRole' && accountOf(resource) !== request.principal.account
        ? 'Cross-account pass role is not allowed.'
        : deniedText({ caller: request.principal.arn, action, resource }, decision)
    const code = DENIED.get(request.service) ?? 'AccessDeniedException'
    throw new LambdaError(code, message, { status: 403 })
  }

  const askAll = async (request: AuthoriseRequest, needs: readonly Need[]): Promise<void> => {
    for (const need of needs) {
      enforce(request, need, await decisionOf(request, need))
    }
  }

  const mayServiceAssume = async (roleArn: string, { name, arn, account }: ServiceSource) => {
    const [, roleAccount = '', roleName = ''] = ROLE.exec(roleArn) ?? []
    const policy = await resources.policy({ kind: 'trust', account: roleAccount, roleName, roleArn })
    if (!policy) return false
    const need: Need = {
      action: 'sts:AssumeRole',
      resource: roleArn,
      account: roleAccount,
      keys: { 'aws:sourceaccount': [account], 'aws:sourcearn': [arn] },
    }
    const callerKeys = { 'aws:principalisawsservice': ['true'], 'aws:principalservicename': [name] }
    const facts = {
      region: arn.split(':')[3] ?? '',
      sourceIp: undefined,
      userAgent: undefined,
      nowMs: clock.now(),
    }
    const { lookUp } = createRequestKeys(facts, { need, callerKeys, resource: undefined })
    return decide(
      { caller: { kind: 'service', name }, action: need.action, resource: roleArn, context: lookUp },
      { identity: [], resource: policy, resourceAccount: roleAccount },
    ).allowed
  }

  return {
    authorise(request) {
      const needs = needsOf(request)
      const { accessKeyId } = request.principal
      for (const need of needs) {
        const known = decisions.get(keyOf(accessKeyId, need))
        if (!known) return askAll(request, needs)
        enforce(request, need, known)
      }
      return undefined
    },
    async mayUseUrl({ id, qualifier, authType, caller = ANONYMOUS, sourceIp, userAgent }) {
      const request = { principal: caller, region: id.region, sourceIp, userAgent }
      for (const need of functionUrlNeeds(id, { qualifier, authType })) {
        if (!(await decisionOf(request, need)).allowed) return false
      }
      return true
    },
    async assertMayDecrypt(caller, region, kmsKeyArn) {
      const request = { principal: caller, region, sourceIp: undefined, userAgent: undefined }
      for (const need of kmsNeeds['Decrypt']?.({ KeyId: kmsKeyArn }, { ...caller, region }) ?? []) {
        enforce({ ...request, service: 'kms' }, need, await decisionOf(request, need))
      }
    },
    async mayReadImage(caller, repository) {
      const { region } = repository
      const request = { principal: caller, region, sourceIp: undefined, userAgent: undefined }
      for (const need of imageNeeds(repository)) {
        if (!(await decisionOf(request, need)).allowed) return false
      }
      return true
    },
    mayAssume: (roleArn, id) =>
      mayServiceAssume(roleArn, { name: 'lambda.amazonaws.com', arn: functionArn(id), account: id.account }),
    mayServiceAssume,
    stop() {
      isFollowing = false
      views.stop()
    },
    get remembered() {
      return decisions.size
    },
  }
}
