/** Function URLs. The control plane writes them; whoever serves them finds them by their id. */
import type { FunctionId } from '#contracts/arn.ts'

/** What browsers of other origins may do. Members that were not given are absent. */
export interface UrlCors {
  readonly allowCredentials?: boolean
  readonly allowHeaders?: readonly string[]
  readonly allowMethods?: readonly string[]
  readonly allowOrigins?: readonly string[]
  readonly exposeHeaders?: readonly string[]
  readonly maxAgeSeconds?: number
}

export interface FunctionUrl extends FunctionId {
  /** 32 lower-case letters and digits: the first label of the URL's host name. */
  readonly urlId: string
  /** The name of an alias, or `$LATEST` for the function itself. The alias may have been deleted since. */
  readonly qualifier: string
  readonly authType: 'NONE' | 'AWS_IAM'
  readonly invokeMode: 'BUFFERED' | 'RESPONSE_STREAM'
  readonly cors?: UrlCors
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** Leads from a function and qualifier to the URL's document. */
export interface FunctionUrlPointer {
  readonly urlId: string
}
