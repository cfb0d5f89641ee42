/** Which errors AWS's SDK documents for each operation, and which of them the cases of test/parity show. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const commands = new URL('../node_modules/@aws-sdk/client-lambda/dist-types/commands/', import.meta.url)

/** The SDK's own base class, and what a service says when it fails itself. */
const NOT_PROVOKED: ReadonlySet<string> = new Set(['LambdaServiceException', 'ServiceException'])

/**
 * What AWS sends in place of a documented error: constraints of the model end in an error that no model lists, and so do
 * bodies that are too large.
 */
const SENT_INSTEAD: Readonly<Record<string, string>> = {
  InvalidParameterValueException: 'ValidationException',
  RequestTooLargeException: 'RequestEntityTooLargeException',
}

/** From the comments of the SDK's type declarations, which the API model generates. */
export function documentedErrors(operation: string): readonly string[] {
  const text = readFileSync(new URL(`${operation}Command.d.ts`, commands), 'utf8')
  const names = [...text.matchAll(/@throws \{@link (\w+)\}/g)].map((match) => match[1] ?? '')
  return names.filter((name) => !NOT_PROVOKED.has(name)).toSorted()
}

/** The documented errors that none of `shown`, the types of an operation's cases, stands for. */
export const errorsWithoutCase = (
  documented: readonly string[],
  shown: ReadonlySet<string>,
): readonly string[] =>
  documented.filter((name) => !shown.has(name) && !shown.has(SENT_INSTEAD[name] ?? name))

const MOST_TESTS = 3

/** Reads the sources once; the answer says of an error whether the program ever sends it, and which tests name it. */
export function errorUses(repository: string): (error: string) => string {
  const read = (folder: string) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .toSorted()
      .map((name) => ({
        path: `${folder}/${name}`,
        text: readFileSync(join(repository, folder, name), 'utf8'),
      }))
  const all = [...read('src'), ...read('test/e2e'), ...read('test/parity/cases')]
  const isTest = ({ path }: { readonly path: string }) =>
    path.startsWith('test/') || path.endsWith('.test.ts')
  const tests = all.filter(isTest)
  const sources = all.filter((file) => !isTest(file) && !file.path.startsWith('src/wire/models/'))
  return (error) => {
    if (!sources.some(({ text }) => text.includes(`'${error}'`))) return 'never sent'
    const shown = tests.filter(({ text }) => text.includes(error)).map(({ path }) => `\`${path}\``)
    if (shown.length > MOST_TESTS) return 'sent, as several tests show'
    return shown.length === 0 ? 'sent, but no test shows it' : `sent, as shown by ${shown.join(', ')}`
  }
}
