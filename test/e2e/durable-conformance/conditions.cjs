const { createWaitStrategy, JitterStrategy } = require('@aws/durable-execution-sdk-js')

const increment = async (state) => state + 1
/** Polls a second after the other while `goOn` says so. */
const polling = (initialState, goOn, seconds = 1) => ({
  initialState,
  waitStrategy: (state) =>
    goOn(state) ? { shouldContinue: true, delay: { seconds } } : { shouldContinue: false },
})
const fails = async () => {
  throw new Error('the check fails')
}
const encoded = {
  serialize: async (value) => (value === undefined ? undefined : Buffer.from(value).toString('base64')),
  deserialize: async (text) => (text === undefined ? undefined : Buffer.from(text, 'base64').toString()),
}

module.exports = {
  '6-1': (context, end) =>
    context.waitForCondition(
      increment,
      polling(0, (state) => state < end),
    ),
  '6-2': (context) =>
    context.waitForCondition(
      async (state) => state,
      polling(5, (state) => state < 5),
    ),
  '6-3': (context) =>
    context.waitForCondition(
      'poll-status',
      increment,
      polling(0, (state) => state < 2),
    ),
  '6-4': (context, end) =>
    context.waitForCondition(
      increment,
      polling(5, (state) => state < end),
    ),
  '6-5': (context, end) =>
    context.waitForCondition(
      increment,
      polling(0, (state) => state < end, 2),
    ),
  '6-6': (context) =>
    context.waitForCondition(increment, {
      initialState: 0,
      waitStrategy: createWaitStrategy({
        maxAttempts: 3,
        initialDelay: { seconds: 1 },
        backoffRate: 1,
        jitter: JitterStrategy.NONE,
        shouldContinuePolling: () => true,
      }),
    }),
  '6-7': (context) =>
    context.waitForCondition(
      fails,
      polling(0, () => true),
    ),
  '6-8': (context) =>
    context
      .waitForCondition(
        fails,
        polling(0, () => true),
      )
      .catch(() => 'recovered'),
  '6-9': (context) =>
    context.waitForCondition(
      async ({ attempts }) => ({ status: attempts + 1 < 2 ? 'PENDING' : 'DONE', attempts: attempts + 1 }),
      polling({ status: 'PENDING', attempts: 0 }, ({ status }) => status === 'PENDING'),
    ),
  '6-10': (context) =>
    context.waitForCondition(
      async () => null,
      polling(null, () => false),
    ),
  '6-11': (context) =>
    context.waitForCondition(async (state) => `${state}x`, {
      ...polling('', (state) => state.length < 2),
      serdes: encoded,
    }),
  '6-12': async (context, end) => {
    const state = await context.waitForCondition(
      increment,
      polling(0, (now) => now < end),
    )
    return context.step(async () => state * 10)
  },
  '6-13': async (context) => {
    const first = await context.waitForCondition(
      increment,
      polling(0, (state) => state < 2),
    )
    return context.waitForCondition(
      increment,
      polling(first, (state) => state < 4),
    )
  },
}
