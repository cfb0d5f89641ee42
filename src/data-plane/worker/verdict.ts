/** What an outcome in the guest means for the client, for the log and for the environment. Pure. */
import {
  errorDocument,
  exited,
  responseTooLarge,
  timedOut,
  type PlatformFailure,
} from '#data-plane/worker/error-documents.ts'
import type { InitEnd, InvokeEnd } from '#data-plane/worker/guest-run.ts'
import type { FailureStatus } from '#data-plane/worker/log/platform-lines.ts'

export interface Verdict {
  /** What the client gets, for the request of this id. */
  readonly payload: (requestId: string) => Uint8Array
  readonly functionError: 'Unhandled' | undefined
  /** What REPORT (or INIT_REPORT) says; undefined for a success, and for an error that the handler itself raised. */
  readonly report: FailureStatus | undefined
  /** A failure that the platform saw and writes to the log itself. */
  readonly platform: PlatformFailure | undefined
  /** The process cannot take another invocation. */
  readonly reset: boolean
}

type Decided = Exclude<InvokeEnd, { kind: 'timeout' }>

export function verdictOf(outcome: Decided): Verdict {
  switch (outcome.kind) {
    case 'response':
      return success(outcome.payload)
    case 'error':
      return {
        ...success(outcome.payload),
        functionError: 'Unhandled',
      }
    case 'too-large':
      return {
        ...success(responseTooLarge(outcome.limitBytes)),
        functionError: 'Unhandled',
        // That REPORT names it is unverified.
        report: { status: 'error', errorType: 'Function.ResponseSizeTooLarge' },
      }
    case 'exited':
      return platformVerdict(exited(outcome.exit))
    case 'platform':
      return platformVerdict(outcome.failure)
  }
}

/** The verdict on an init that did not end well. `limitSeconds` is what a timeout is reported with. */
export function initFailure(end: Exclude<InitEnd, { kind: 'ready' }>, limitSeconds: number): Verdict {
  switch (end.kind) {
    case 'timeout':
      return platformVerdict(timedOut(limitSeconds))
    case 'exited':
      return platformVerdict(exited(end.exit))
    case 'platform':
      return platformVerdict(end.failure)
    case 'error':
      // The runtime has logged it and wrote the document; AWS adds nothing but the status.
      return {
        ...success(end.payload),
        functionError: 'Unhandled',
        report: { status: 'error', errorType: end.errorType },
        reset: true,
      }
  }
}

const success = (payload: Uint8Array): Verdict => ({
  payload: () => payload,
  functionError: undefined,
  report: undefined,
  platform: undefined,
  reset: false,
})

const platformVerdict = (failure: PlatformFailure): Verdict => ({
  payload: (requestId) => errorDocument(requestId, failure),
  functionError: 'Unhandled',
  report: failure.report,
  platform: failure,
  reset: true,
})
