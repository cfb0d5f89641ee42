const { createRetryStrategy, JitterStrategy, StepSemantics } = require('@aws/durable-execution-sdk-js')

const noRetry = { retryStrategy: () => ({ shouldRetry: false }) }
/** Up to `attempts` in all, a second apart. */
const retrying = (attempts) => ({
  retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < attempts, delay: { seconds: 1 } }),
})
const failing =
  (message = 'it fails') =>
  async () => {
    throw new Error(message)
  }
/** Fails until the attempt of this number. */
const worksAt = (attempt, result) => async (step) => {
  if (step.attempt < attempt) throw new Error(`attempt ${step.attempt} fails`)
  return result
}
const upperCase = {
  serialize: async (value) => value?.toUpperCase(),
  deserialize: async (text) => text,
}
class TransientError extends Error {
  name = 'TransientError'
}

module.exports = {
  '1-1': (context, input) => context.step(async () => `Hello, ${input}!`),
  '1-2': (context, input) => context.step('custom_step_name', async () => `Hello, ${input}!`),
  '1-3': async (context) => {
    const first = await context.step(async () => 'first')
    return context.step(async () => `${first}_second`)
  },
  '1-4': (context, { name, tags }) =>
    context.step(async () => ({ user: { name, tags }, count: tags.length })),
  '1-5': (context) => context.step(async () => null),
  '1-6': (context, input) => context.step(async () => input, { serdes: upperCase }),
  '1-7': (context, input) =>
    context.step(async (step) => {
      step.logger.info(`Greeting step started for: ${input}`)
      const greeting = `Hello, ${input}!`
      step.logger.info(`Greeting step completed with: ${greeting}`)
      return greeting
    }),
  '1-8': async (context) => {
    const result = await context.step(async () => 'computed')
    await context.wait({ seconds: 2 })
    return result
  },
  '1-9': async (context) => {
    const result = await context.step(async () => 'cached_value')
    await context.wait({ seconds: 1 })
    return result
  },
  '1-10': async (context) => {
    let caught
    await context.step(failing(), noRetry).catch((error) => (caught = error.message))
    await context.wait({ seconds: 1 })
    return caught
  },
  '1-11': (context) => context.step(worksAt(2, 'Operation succeeded'), retrying(3)),
  '1-12': (context) => context.step(failing(), retrying(4)),
  '1-13': (context) => context.step(worksAt(3, 'by default')),
  '1-14': (context) =>
    context.step(worksAt(3, 'in the end'), {
      retryStrategy: createRetryStrategy({
        maxAttempts: 5,
        initialDelay: { seconds: 2 },
        backoffRate: 3,
        jitter: JitterStrategy.NONE,
      }),
    }),
  '1-15': (context) =>
    context.step(
      async (step) => {
        if (step.attempt === 1) throw new TransientError('not now')
        return 'now'
      },
      {
        retryStrategy: (error) => ({
          shouldRetry: error.name === 'TransientError' || error.errorType === 'TransientError',
          delay: { seconds: 1 },
        }),
      },
    ),
  '1-16': (context) =>
    context.step(async () => {
      throw new TransientError('never')
    }, noRetry),
  '1-17': (context, input) =>
    context.step(
      'at_most_once_flaky_step',
      async (step) => {
        step.logger.info(input)
        // The line has to be out before the process ends.
        await new Promise((resolve) => setTimeout(resolve, 200))
        process.exit(1)
      },
      { semantics: StepSemantics.AtMostOncePerRetry, ...noRetry },
    ),
  '1-18': (context, input) =>
    context.step(
      async (step) => {
        step.logger.info(input)
        await new Promise((resolve) => setTimeout(resolve, 200))
        if (step.attempt === 1) process.exit(1)
        return 'succeeded on second attempt'
      },
      { semantics: StepSemantics.AtMostOncePerRetry, ...retrying(3) },
    ),
  '1-19': (context) => context.step(failing(), noRetry),
  '1-20': async (context) => {
    try {
      return await context.step(failing(), noRetry)
    } catch {
      return context.step(async () => 'fallback_result')
    }
  },

  '2-1': (context) => context.wait({ seconds: 2 }),
  '2-2': (context) => context.wait('custom_wait_name', { seconds: 2 }),
  '2-3': async (context) => {
    await context.wait('wait-1', { seconds: 2 })
    await context.wait('wait-2', { seconds: 2 })
    return { completedWaits: 2 }
  },
  '2-4': (context) => context.wait({ minutes: 1 }),
  '2-5': (context) => context.wait({ hours: 1 }),
}
