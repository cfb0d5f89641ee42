/** Takes out of answers what differs from run to run. A value that does not have its form stays and fails the case. */

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/
const ISO_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/
const ISO_Z = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

interface Form {
  readonly shown: string
  fits(value: unknown): boolean
}

const text = (shown: string, pattern: RegExp): Form => ({
  shown,
  fits: (value) => typeof value === 'string' && pattern.test(value),
})
/** Epoch seconds of our time, with a fraction or without. */
const epoch: Form = {
  shown: '<epoch>',
  fits: (value) => typeof value === 'number' && value > 1.6e9 && value < 1e10,
}
const count: Form = { shown: '<size>', fits: (value) => Number.isInteger(value) && (value as number) > 0 }
const date = text('<date>', ISO)

/** By the name of the member. */
const FORMS: Readonly<Record<string, readonly Form[]>> = {
  CodeSha256: [text('<sha256>', /^[A-Za-z0-9+/]{43}=$/)],
  ConfigSha256: [text('<config sha256>', /^[A-Za-z0-9+/]{43}=$|^[0-9a-f]{64}$/)],
  CodeSize: [count],
  TotalCodeSize: [count],
  LastModified: [date, text('<date>', ISO_Z), text('<date to the second>', ISO_SECONDS), epoch],
  LastModifiedTime: [date, text('<date>', ISO_Z), epoch],
  CreationTime: [date, text('<date>', ISO_Z), epoch],
  CreatedDate: [date],
  StartTimestamp: [epoch],
  EndTimestamp: [epoch],
  EventTimestamp: [epoch],
  StopTimestamp: [epoch],
  Location: [text('<url>', /^https?:\/\/\S+$/)],
  FunctionUrl: [text('<function url>', /^https?:\/\/[a-z0-9]+\.lambda-url\.[a-z0-9-]+\.\S+\/$/)],
  RuntimeVersionArn: [text('<runtime version>', /^arn:aws:lambda:[a-z0-9-]+::runtime:[0-9a-f]{64}$/)],
  VpcId: [text('<vpc>', /^vpc-[0-9a-f]+$/)],
  DurableExecutionArn: [
    text(
      '<durable execution>',
      /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+:[\w$-]+\/durable-execution\/[\w-]+\/[0-9a-f-]{36}$/,
    ),
  ],
  NextMarker: [text('<marker>', /^.+$/)],
  CheckpointToken: [text('<token>', /^.+$/)],
  CallbackId: [text('<callback>', /^.+$/)],
}

const inText = (value: string) =>
  value
    .replaceAll(UUID, '<uuid>')
    .replaceAll(/csc-[a-z0-9]{17}/g, 'csc-<id>')
    .replaceAll(/CodeSHA256 \([A-Za-z0-9+/]{43}=\)/g, 'CodeSHA256 (<sha256>)')

export function normalise(value: unknown, name = ''): unknown {
  const form = FORMS[name]?.find((candidate) => candidate.fits(value))
  if (form) return form.shown
  if (typeof value === 'string') return inText(value)
  if (Array.isArray(value)) return value.map((item) => normalise(item, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [inText(key), normalise(item, key)]))
}
