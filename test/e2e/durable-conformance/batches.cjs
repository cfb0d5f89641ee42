const { NestingType } = require('@aws/durable-execution-sdk-js')

const ONE = { maxConcurrency: 1 }
const value = (result) => async () => result
const step = (result) => (child) => child.step(async () => result)
const fails = async () => {
  throw new Error('it fails')
}
const completing = (completionConfig) => ({ ...ONE, completionConfig })
const results = async (batch) => (await batch).getResults()
/** What the requirements call a projection. */
const facts = async (batch, ...names) => {
  const done = await batch
  return Object.fromEntries(names.map((name) => [name, done[name]]))
}
const COUNTS = ['completionReason', 'successCount', 'failureCount', 'totalCount']
const ALL = ['status', ...COUNTS]

/** A map whose items are what happens to them. */
const outcomes = (context, items, config) => context.map('map', items, async (_child, run) => run(), config)
const wrapped = {
  serialize: async (it) => JSON.stringify({ wrapped: it }),
  deserialize: async (text) => JSON.parse(text).wrapped,
}
const prefixed = {
  serialize: async (it) => `wrapped:${it}`,
  deserialize: async (text) => text.slice('wrapped:'.length),
}
const PREFIX = 'OPSERDE:'
const ofOperation = {
  serialize: async (batch) => PREFIX + batch.getResults().join(','),
  deserialize: async (text) => {
    const items = text.slice(PREFIX.length).split(',')
    return { getResults: () => items }
  },
}
const upper = async (_child, item) => item.toUpperCase()

module.exports = {
  '8-1': (context) => results(context.parallel('parallel', [step('task-1'), step('task-2')], ONE)),
  '8-2': (context) => results(context.parallel([value('alpha'), value('beta')], ONE)),
  '8-3': (context) =>
    results(
      context.parallel(
        'named',
        [
          { name: 'first', func: value('one') },
          { name: 'second', func: value('two') },
        ],
        ONE,
      ),
    ),
  '8-4': (context) => results(context.parallel([value('hello'), value(42), value({ k: 'v' })], ONE)),
  '8-5': (context) => results(context.parallel([], ONE)),
  '8-6': (context) =>
    facts(
      context.parallel([value('ok'), fails, value('never')], completing({ toleratedFailureCount: 0 })),
      ...ALL,
    ),
  '8-7': async (context) => {
    const batch = await context.parallel([fails, value('never')], completing({ toleratedFailureCount: 0 }))
    batch.throwIfError()
  },
  '8-8': (context) =>
    facts(
      context.parallel(['a', 'b', 'c', 'd'].map(value), completing({ minSuccessful: 2 })),
      'completionReason',
      'successCount',
      'totalCount',
    ),
  '8-9': (context) =>
    facts(
      context.parallel([value('a'), fails, value('c')], completing({ toleratedFailureCount: 1 })),
      ...ALL,
    ),
  '8-10': (context) =>
    facts(context.parallel([fails, fails, value('c')], completing({ toleratedFailureCount: 1 })), ...COUNTS),
  '8-11': (context) => results(context.parallel(['r0', 'r1', 'r2'].map(value), { maxConcurrency: 2 })),
  '8-12': (context) =>
    results(context.parallel([step('fa'), step('fb')], { ...ONE, nesting: NestingType.FLAT })),
  '8-13': (context) =>
    facts(
      context.parallel(
        [fails, fails, value('c'), value('d')],
        completing({ toleratedFailurePercentage: 25 }),
      ),
      ...COUNTS,
    ),
  '8-14': (context) =>
    results(
      context.parallel(
        [
          step('b0'),
          async (child) => {
            await child.wait({ seconds: 2 })
            return 'b1'
          },
        ],
        ONE,
      ),
    ),
  '8-15': (context) => results(context.parallel([value('x'), value('y')], { ...ONE, itemSerdes: wrapped })),
  '8-16': (context) =>
    facts(context.parallel([fails, fails, fails], completing({ toleratedFailureCount: 3 })), ...ALL),
  '8-17': (context) =>
    facts(context.parallel([value('a'), fails, value('c')], completing({ minSuccessful: 3 })), ...ALL),
  '8-18': (context) =>
    facts(
      context.parallel(
        [fails, fails, value('c'), value('d')],
        completing({ minSuccessful: 3, toleratedFailureCount: 1 }),
      ),
      ...COUNTS,
    ),
  '8-19': (context) => results(context.parallel([value('a'), value('b')], { maxConcurrency: 0 })),
  '8-20': async (context) => {
    const batch = await context.parallel(
      [value('a'), fails, value('c')],
      completing({ toleratedFailureCount: 1 }),
    )
    return {
      hasFailure: batch.hasFailure,
      successCount: batch.succeeded().length,
      failureCount: batch.failed().length,
      errorCount: batch.getErrors().length,
    }
  },
  '8-21': (context) =>
    results(context.parallel([(child) => results(child.parallel([step('i1'), step('i2')], ONE))], ONE)),
  '8-22': (context) =>
    facts(
      context.parallel(
        [fails, value('b'), value('c'), value('d')],
        completing({ toleratedFailurePercentage: 25 }),
      ),
      ...ALL,
    ),

  '9-1': (context, names) =>
    results(context.map('map', names, (child, name) => child.step(async () => `Hello, ${name}!`), ONE)),
  '9-2': (context, items) => results(context.map(items, async (_child, item) => 2 * item, ONE)),
  '9-3': (context, items) => results(context.map(items, async (_child, item, index) => item + index, ONE)),
  '9-4': (context, items) => results(context.map(items, async (_child, item) => item, ONE)),
  '9-5': (context) =>
    facts(
      outcomes(context, [value('ok'), fails, value('never')], completing({ toleratedFailureCount: 0 })),
      ...ALL,
    ),
  '9-6': async (context) => {
    const batch = await outcomes(context, [fails, value('never')], completing({ toleratedFailureCount: 0 }))
    batch.throwIfError()
  },
  '9-7': (context) =>
    facts(
      outcomes(context, ['a', 'b', 'c', 'd'].map(value), completing({ minSuccessful: 2 })),
      'completionReason',
      'successCount',
      'totalCount',
    ),
  '9-8': (context) =>
    facts(
      outcomes(context, [value('a'), fails, value('c')], completing({ toleratedFailureCount: 1 })),
      ...ALL,
    ),
  '9-9': (context) =>
    facts(outcomes(context, [fails, fails, value('c')], completing({ toleratedFailureCount: 1 })), ...COUNTS),
  '9-10': (context) =>
    facts(
      outcomes(
        context,
        [fails, fails, value('c'), value('d')],
        completing({ toleratedFailurePercentage: 25 }),
      ),
      ...COUNTS,
    ),
  '9-11': (context) =>
    results(context.map(['r0', 'r1', 'r2'], async (_child, item) => item, { maxConcurrency: 2 })),
  '9-12': (context) =>
    results(
      context.map(['fa', 'fb'], (child, item) => child.step(async () => item), {
        ...ONE,
        nesting: NestingType.FLAT,
      }),
    ),
  '9-13': (context, items) =>
    results(
      context.map(items, async (_child, item) => 10 * item, {
        ...ONE,
        itemNamer: (item) => `item-${item}`,
      }),
    ),
  '9-14': (context) => results(context.map(['x', 'y'], upper, { ...ONE, itemSerdes: prefixed })),
  '9-15': (context) =>
    results(
      context.map(
        ['r0', 'r1'],
        async (child, item, index) => {
          if (index === 1) await child.wait({ seconds: 1 })
          return child.step(async () => item)
        },
        ONE,
      ),
    ),
  '9-16': (context) =>
    facts(
      context.map(['a', 'b', 'c', 'd'], async (_child, item) => item.repeat(70 * 1024), ONE),
      'successCount',
      'totalCount',
    ),
  '9-17': async (context) => {
    const done = await results(context.map(['a', 'b'], upper, ONE))
    await context.wait({ seconds: 1 })
    return done
  },
  '9-18': async (context) => {
    const done = await facts(
      outcomes(context, [value('ok'), fails], completing({ toleratedFailureCount: 1 })),
      ...ALL,
    )
    await context.wait({ seconds: 1 })
    return done
  },
  '9-19': (context) => results(context.map(['x', 'y'], upper, { ...ONE, serdes: ofOperation })),
  '9-20': async (context) => {
    const done = await results(context.map(['x', 'y'], upper, { ...ONE, serdes: ofOperation }))
    await context.wait({ seconds: 1 })
    return done
  },
}
