/** S3's XML errors, as far as they are passed on. */
import { invalidParameter, type LambdaError } from '#contracts/errors.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
export const escapeXml = (text: string) => text.replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char)

const PLAIN: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const unescapeXml = (text: string) =>
  text.replaceAll(/&(amp|lt|gt|quot|apos);/g, (whole, name: string) => PLAIN[name] ?? whole)

export interface S3Error {
  readonly code: string
  readonly message: string
}

/** What stands for an answer without a body, as a HEAD or a proxy gives. */
const BY_STATUS: Readonly<Record<number, S3Error>> = {
  301: { code: 'PermanentRedirect', message: 'The bucket is in another region.' },
  403: { code: 'AccessDenied', message: 'Access Denied' },
  404: { code: 'NoSuchKey', message: 'The specified key does not exist.' },
}

/** Reads the code and the message out of an error's body. The body is foreign input: only these two are looked for. */
export function parseS3Error(status: number, body: string): S3Error {
  const code = /<Code>([A-Za-z0-9]{1,100})<\/Code>/.exec(body)?.[1]
  const message = /<Message>([^<]{0,1000})<\/Message>/.exec(body)?.[1]
  if (code !== undefined) return { code, message: unescapeXml(message ?? '') }
  return (
    BY_STATUS[status] ?? { code: 'InternalError', message: `The endpoint answered with status ${status}.` }
  )
}

/** The text in which Lambda passes S3's error on (recorded from AWS). */
export const bucketError = ({ code, message }: S3Error): LambdaError =>
  invalidParameter(`Error occurred while GetObject. S3 Error Code: ${code}. S3 Error Message: ${message}`)
