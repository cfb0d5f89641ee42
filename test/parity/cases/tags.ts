/** Tags of functions. */
import { ARN, FN, active, fnWith, got } from '../function-bodies.ts'
import {
  MODEL,
  invalid,
  noContent,
  notFound,
  ok,
  recorded,
  step,
  validation,
  type ParityCase,
} from '../parity-case.ts'

const LIFECYCLE = recorded('localstack test_lambda_api TestLambdaTag.test_tag_lifecycle, 2024')
const ON_CREATE = recorded('localstack test_lambda_api TestLambdaTag.test_create_tag_on_fn_create, 2024')
const MISSING = recorded('localstack test_lambda_api TestLambdaTag.test_tag_nonexisting_resource, 2024')

const EXCEPTIONS = recorded('localstack test_lambda_api TestLambdaTags.test_tag_exceptions, 2024')
const TAG_LIMITS = recorded('localstack test_lambda_api TestLambdaTags.test_tag_limits, 2024')
const tags = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}_key`, `${at}_value`]))

const tag = (Tags: Readonly<Record<string, string>>) => step('TagResource', { Resource: ARN, Tags })
const untag = (...TagKeys: readonly string[]) => step('UntagResource', { Resource: ARN, TagKeys })
const TAGGED = [FN, tag({ A: 'tag-a', B: 'tag-b', C: 'tag-c' })]
const list = (name: string, given: ParityCase['given'], Tags: object): ParityCase => ({
  operation: 'ListTags',
  name,
  given: given ?? [],
  input: { Resource: ARN },
  expect: ok({ Tags }),
  source: LIFECYCLE,
})

export const tagCases: readonly ParityCase[] = [
  {
    operation: 'GetFunction',
    name: 'with tags since its creation',
    given: [fnWith({ Tags: { testtag: 'x' } })],
    input: { FunctionName: 'fn' },
    expect: ok(got(active(), { Tags: { testtag: 'x' } })),
    source: ON_CREATE,
  },
  {
    operation: 'ListTags',
    name: 'of the creation',
    given: [fnWith({ Tags: { testtag: 'x' } })],
    input: { Resource: ARN },
    expect: ok({ Tags: { testtag: 'x' } }),
    source: ON_CREATE,
  },
  {
    operation: 'TagResource',
    name: 'answers without a body',
    given: [FN],
    input: { Resource: ARN, Tags: { A: 'tag-a' } },
    expect: noContent,
    source: LIFECYCLE,
  },
  list('one tag', [FN, tag({ A: 'tag-a' })], { A: 'tag-a' }),
  list('several tags', TAGGED, { A: 'tag-a', B: 'tag-b', C: 'tag-c' }),
  list('a tag with a new value', [...TAGGED, tag({ C: 'tag-c-newsuffix', D: 'tag-d' })], {
    A: 'tag-a',
    B: 'tag-b',
    C: 'tag-c-newsuffix',
    D: 'tag-d',
  }),
  list('after one was taken away', [...TAGGED, untag('A')], { B: 'tag-b', C: 'tag-c' }),
  list('after several were taken away', [...TAGGED, untag('A', 'B')], { C: 'tag-c' }),
  list('after one that was never there was taken away', [...TAGGED, untag('X')], {
    A: 'tag-a',
    B: 'tag-b',
    C: 'tag-c',
  }),
  list('none', [...TAGGED, untag('A', 'B', 'C', 'X')], {}),
  {
    operation: 'UntagResource',
    name: 'answers without a body',
    given: TAGGED,
    input: { Resource: ARN, TagKeys: ['A'] },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'UntagResource',
    name: 'a tag that is not there',
    given: [FN],
    input: { Resource: ARN, TagKeys: ['X'] },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'TagResource',
    name: 'of a function that is not there',
    input: { Resource: ARN, Tags: { A: 'x' } },
    expect: notFound(`Function not found: ${ARN}`),
    source: MISSING,
  },
  {
    operation: 'UntagResource',
    name: 'of a function that is not there',
    input: { Resource: ARN, TagKeys: ['A'] },
    expect: notFound(`Function not found: ${ARN}`),
    source: MISSING,
  },
  {
    operation: 'ListTags',
    name: 'of a function that is not there',
    input: { Resource: ARN },
    expect: notFound(`Function not found: ${ARN}`),
    source: MISSING,
  },
  {
    operation: 'TagResource',
    name: 'of a version',
    given: [FN, step('PublishVersion', { FunctionName: 'fn' })],
    input: { Resource: `${ARN}:1`, Tags: { A: 'x' } },
    expect: invalid(
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    ),
    source: EXCEPTIONS,
  },
  {
    operation: 'TagResource',
    name: 'an ARN of nothing',
    input: { Resource: 'arn:aws:something', Tags: { A: 'x' } },
    // Recorded with the pattern of 2024; the API model of 2026 knows more kinds of resources and regions.
    expect: validation(
      "1 validation error detected: Value 'arn:aws:something' at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})",
    ),
    source: MODEL,
  },
  {
    operation: 'ListTags',
    name: 'of a function without any',
    given: [FN],
    input: { Resource: ARN },
    expect: ok({ Tags: {} }),
    source: EXCEPTIONS,
  },
  {
    operation: 'UntagResource',
    name: 'without keys',
    given: [FN],
    input: { Resource: ARN, TagKeys: [] },
    expect: validation(
      "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
    ),
    source: EXCEPTIONS,
  },
  {
    operation: 'TagResource',
    name: 'without tags',
    given: [FN],
    input: { Resource: ARN, Tags: {} },
    expect: invalid('An error occurred and the request cannot be processed.'),
    source: EXCEPTIONS,
  },
  {
    operation: 'TagResource',
    name: 'more than a resource may have',
    given: [FN],
    input: { Resource: ARN, Tags: tags(51) },
    expect: invalid('Number of tags exceeds resource tag limit.'),
    source: TAG_LIMITS,
  },
  {
    operation: 'TagResource',
    name: 'as many as a resource may have',
    given: [FN],
    input: { Resource: ARN, Tags: tags(50) },
    expect: noContent,
    source: TAG_LIMITS,
  },
  list('as many as a resource may have', [FN, tag(tags(50))], tags(50)),
  {
    operation: 'TagResource',
    name: 'one more than a resource may have',
    given: [FN, tag(tags(50))],
    input: { Resource: ARN, Tags: { a_key: 'a_value' } },
    expect: invalid('Number of tags exceeds resource tag limit.'),
    source: TAG_LIMITS,
  },
  {
    operation: 'GetFunction',
    name: 'after all its tags were taken away: without the member',
    given: [fnWith({ Tags: { A: 'x' } }), untag('A')],
    input: { FunctionName: 'fn' },
    expect: ok(got(active())),
    source: recorded('localstack test_lambda_api TestLambdaTags.test_tag_lifecycle, 2024'),
  },
]
