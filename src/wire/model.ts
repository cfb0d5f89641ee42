/** The form of the generated API models in `models/`: what the wire layer needs to know of an AWS service, and no more. */

export interface ServiceModel {
  /** Lower-case name, such as `lambda`. */
  readonly name: string
  readonly protocol: 'rest-json' | 'aws-json-1.0' | 'aws-json-1.1' | 'aws-query'
  /** Service part of a SigV4 credential scope. */
  readonly signingName: string
  /** Part of X-Amz-Target before the operation's name; AWS JSON only. */
  readonly targetPrefix?: string
  /** Names of errors on the wire begin with this and `#`; AWS JSON 1.0 only. */
  readonly errorNamespace?: string
  /**
   * The value of `Version`, and the namespace of answers. A service of another protocol that has this speaks the query
   * protocol as well, and tells clients of the other one its older names of errors.
   */
  readonly query?: {
    readonly version: string
    readonly namespace: string
    /** The member that the path of a request stands for, when the request does not have it. */
    readonly pathMember?: string
  }
  readonly validation: ValidationStyle
  readonly operations: Readonly<Record<string, OperationModel>>
  readonly shapes: Readonly<Record<string, Shape>>
  readonly errors: Readonly<Record<string, ErrorModel>>
}

/** How a service words what is wrong with an input. */
export interface ValidationStyle {
  /** Name of the exception. */
  readonly error: string
  /** The text repeats the value that breaks its constraint. */
  readonly quotesValues: boolean
  /** "Member must not be null" stands among the constraints of list elements and map entries. */
  readonly elementsNotNull: boolean
  /** Name of the exception for a required member that is not there, which then is the only thing the text is about. */
  readonly missing?: string
}

export interface OperationModel {
  readonly method: string
  /** Path template with `{Label}` segments, and perhaps a static query: `/layers?find=LayerVersion`. */
  readonly uri: string
  /** HTTP status of success. */
  readonly status: number
  /** Names of structures; undefined when there is no input or output. */
  readonly input?: string
  readonly output?: string
}

export interface ErrorModel {
  readonly status: number
  /** How this error spells the member that holds its text. */
  readonly message: 'message' | 'Message'
  /** Its name in the query protocol, of services that speak it beside another one. */
  readonly queryCode?: string
  /** Its text there, when that is another one. */
  readonly queryText?: string
  /** Members that travel as headers. */
  readonly headers?: Readonly<Record<string, string>>
}

interface Constraints {
  /** Length of strings and blobs, number of elements of lists and maps, or value of numbers. */
  readonly min?: number
  readonly max?: number
  /** The value is left out of error texts. */
  readonly sensitive?: true
}

export interface StringShape extends Constraints {
  readonly type: 'string'
  /** Must match the whole value. */
  readonly pattern?: string
  /** In the order in which AWS's error texts list them, as far as it is known. */
  readonly enum?: readonly string[]
}

export interface NumberShape extends Constraints {
  readonly type: 'integer' | 'long' | 'double'
}

export interface BooleanShape {
  readonly type: 'boolean'
  readonly sensitive?: true
}

export interface BlobShape extends Constraints {
  readonly type: 'blob'
}

/** Epoch seconds in bodies, ISO 8601 in query strings. */
export interface TimestampShape {
  readonly type: 'timestamp'
  readonly sensitive?: true
}

/** Any JSON. */
export interface DocumentShape {
  readonly type: 'document'
  readonly sensitive?: true
}

export interface ListShape extends Constraints {
  readonly type: 'list'
  readonly member: string
  /** Query protocol: its elements stand in the place of the list, under this name. */
  readonly flat?: string
}

export interface MapShape extends Constraints {
  readonly type: 'map'
  readonly key: string
  readonly value: string
  /** Query protocol: its entries stand in the place of the map, under these names. */
  readonly flat?: { readonly entry: string; readonly key: string; readonly value: string }
}

export interface StructureShape {
  readonly type: 'structure'
  readonly required?: readonly string[]
  readonly members: Readonly<Record<string, Member>>
  readonly sensitive?: true
}

/** The events of an event stream; the only unions of our models are streams. */
export interface UnionShape {
  readonly type: 'union'
  readonly members: Readonly<Record<string, Member>>
  readonly sensitive?: true
}

export type Shape =
  | StringShape
  | NumberShape
  | BooleanShape
  | BlobShape
  | TimestampShape
  | DocumentShape
  | ListShape
  | MapShape
  | StructureShape
  | UnionShape

/** A member: the name of its shape, or that and where it travels when not in the body's JSON. */
export type Member = string | BoundMember

export interface BoundMember {
  readonly shape: string
  /** `payload`: the member is the whole body. `event-payload`: the body of an event. */
  readonly in: 'label' | 'query' | 'header' | 'payload' | 'status' | 'event-payload'
  /** Name of the query parameter or header; absent for the others. */
  readonly name?: string
}

export const memberShape = (member: Member): string => (typeof member === 'string' ? member : member.shape)
export const memberPlace = (member: Member): BoundMember['in'] | 'body' =>
  typeof member === 'string' ? 'body' : member.in
