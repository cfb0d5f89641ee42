/** Calls of one of our services to another in this process: what the door does, without the wire. */
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { ActingAs, ServiceCall, ServiceCalls } from '#contracts/service-calls.ts'
import type { Random } from '#kernel/random.ts'
import type { Authorise } from '#wire/authorise.ts'
import type { DoorLogger, DoorService } from '#wire/door.ts'
import { notBuilt } from '#wire/errors.ts'
import type { OperationHandler, Principal, RequestContext } from '#wire/service.ts'
import { createValidators, type Validators } from '#wire/validation.ts'

export interface LocalCalls extends ServiceCalls {
  /** Before this is called every call is refused as one that may be tried again. */
  serve(services: readonly DoorService[]): void
}

export interface LocalCallsOptions {
  /** Asked before an operation runs; left out: every call is allowed. */
  readonly authorise?: Authorise
  /** The session of a role that a service acts as. Rejects when there is no such role or it does not trust the service. */
  readonly roleSession: (as: Extract<ActingAs, { readonly roleArn: string }>) => Promise<Principal>
  /** Services that run elsewhere, by the name of their model; they are called there. */
  readonly foreign?: ReadonlyMap<string, ServiceCalls>
  /** `http://host:port` of this program. */
  readonly endpoint: string
  readonly random: Random
  readonly logger: DoorLogger
}

interface LocalService extends DoorService {
  readonly validators: Validators
}

/** Nobody who waits for nothing hangs up. */
const NEVER = new AbortController().signal

export function createLocalCalls(options: LocalCallsOptions): LocalCalls {
  const { authorise, roleSession, foreign, endpoint, random, logger } = options
  let services: ReadonlyMap<string, LocalService> | undefined

  const principalOf = async (as: ActingAs): Promise<Principal> => {
    if ('roleArn' in as) return await roleSession(as)
    const { servicePrincipal, sourceArn, sourceAccount } = as
    return {
      account: sourceAccount,
      arn: servicePrincipal,
      // No key: it tells the callers apart whose permissions are remembered.
      accessKeyId: `${servicePrincipal} ${sourceArn} ${sourceAccount}`,
      service: { name: servicePrincipal, arn: sourceArn, account: sourceAccount },
    }
  }

  const callHere = async (call: ServiceCall): Promise<object> => {
    if (!services) throw serviceFailure('The services are starting')
    const service = services.get(call.service)
    const { operation, input, region } = call
    if (!service) throw notBuilt(call.service, operation)
    const handler = Object.hasOwn(service.handlers, operation) ? service.handlers[operation] : undefined
    if (!handler) throw notBuilt(call.service, operation)
    const shape = service.model.operations[operation]?.input
    const failure = shape === undefined ? undefined : service.validators.check(shape, input)
    if (failure) throw failure
    const principal = await principalOf(call.as)
    await authorise?.({
      service: call.service,
      operation,
      input,
      principal,
      region,
      sourceIp: undefined,
      userAgent: principal.service?.name,
    })
    const context: RequestContext = {
      requestId: random.uuid(),
      account: principal.account,
      region,
      principal,
      isAuthorised: authorise !== undefined,
      endpoint,
      signal: call.signal ?? NEVER,
      traceId: call.traceId,
    }
    return await (handler as OperationHandler<never, object>)(input as never, context)
  }

  return {
    serve(all) {
      services = new Map(
        all.map((service) => [
          service.model.name,
          { ...service, validators: createValidators(service.model) },
        ]),
      )
    },
    async call(call) {
      const elsewhere = foreign?.get(call.service)
      if (elsewhere) return await elsewhere.call(call)
      try {
        return await callHere(call)
      } catch (error) {
        if (error instanceof LambdaError) throw error
        const { service, operation } = call
        logger.error('A call between services failed unexpectedly', {
          service,
          operation,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        })
        throw serviceFailure('An internal error occurred', error)
      }
    },
  }
}
