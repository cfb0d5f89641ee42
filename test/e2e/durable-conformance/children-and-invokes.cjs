const noRetry = { retryStrategy: () => ({ shouldRetry: false }) }
const retrying = (attempts) => ({
  retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < attempts, delay: { seconds: 1 } }),
})
const fails = async () => {
  throw new Error('it fails')
}
const upperCase = {
  serialize: async (value) => value?.toUpperCase(),
  deserialize: async (text) => text,
}
const json = {
  serialize: async (value) => JSON.stringify(value),
  deserialize: async (text) => (text === undefined ? undefined : JSON.parse(text)),
}
const ECHO = 'echo:$LATEST'
/** The same, isolated by tenants: only such a function may be given one. */
const TENANTS = 'tenants:$LATEST'
const ERROR = 'error:$LATEST'

module.exports = {
  '3-1': (context, input) => context.runInChildContext((child) => child.step(async () => input)),
  '3-2': (context, { name, value }) =>
    context.runInChildContext(name, (child) => child.step(async () => value)),
  '3-3': (context, input) =>
    context.runInChildContext('child', async (child) => {
      const first = await child.step(async () => input)
      return child.step(async () => first)
    }),
  '3-4': (context) => context.runInChildContext('child', (child) => child.step(fails, noRetry)),
  '3-5': async (context, input) => {
    try {
      return await context.runInChildContext((child) => child.step(fails, noRetry))
    } catch {
      return context.step(async () => input)
    }
  },
  '3-6': (context, input) =>
    context.runInChildContext('outer', async (outer) => {
      await outer.step(async () => input)
      return outer.runInChildContext('inner', (inner) => inner.step(async () => input))
    }),
  '3-7': (context, input) =>
    context.runInChildContext('child', (child) =>
      child.step(async (step) => {
        if (step.attempt === 1) throw new Error('not yet')
        return input
      }, retrying(2)),
    ),
  '3-8': (context) => context.runInChildContext('child', (child) => child.step(fails, retrying(2))),
  '3-9': async (context, input) => {
    const result = await context.runInChildContext((child) => child.step(async () => input))
    await context.wait({ seconds: 1 })
    return result
  },
  '3-10': (context, input) =>
    context.runInChildContext('child', async (child) => {
      await child.step(async () => input)
      await child.wait({ seconds: 1 })
      return input
    }),
  '3-11': async (context, input) => {
    await context.runInChildContext('child', async (child) => {
      child.configureLogger({ modeAware: false })
      child.logger.info(input)
      const small = await child.step(async () => 'x')
      return small.repeat(300 * 1024)
    })
    await context.wait({ seconds: 1 })
  },
  '3-12': (context, input, { isReplay }) =>
    context.runInChildContext((child) =>
      child.step(async () => {
        if (!isReplay) {
          // Its start has to be stored before the process ends.
          await new Promise((resolve) => setTimeout(resolve, 500))
          process.exit(1)
        }
        return input
      }),
    ),
  '3-13': async (context, input) => {
    const result = await context.runInChildContext('child', async (child) => {
      await child.wait({ seconds: 1 })
      return input
    })
    return context.step(async () => result)
  },
  '3-14': (context, input) =>
    context.runInChildContext('child', (child) => child.step(async () => input), { serdes: upperCase }),
  '3-15': (context) => context.runInChildContext('child', fails),
  '3-16': (context) => context.runInChildContext('child', async () => null),
  '3-17': async (context, input) => {
    const result = await context.runInChildContext('child', async (child) => {
      child.configureLogger({ modeAware: false })
      child.logger.info(input)
      return input
    })
    await context.wait({ seconds: 1 })
    return result
  },
  '3-18': async (context, input) => {
    const result = await context.runInChildContext('child', async (child) => {
      await child.step(async () => input)
      await child.wait({ seconds: 1 })
      return input
    })
    await context.step(async () => result)
    await context.wait({ seconds: 1 })
    return result
  },

  '5-1': (context, input) => context.invoke(undefined, ECHO, input),
  '5-2': (context, { name, payload }) => context.invoke(name, ECHO, payload),
  '5-3': (context, input) => context.invoke(undefined, ECHO, input),
  '5-4': (context) => context.invoke(undefined, ECHO, null),
  '5-5': (context) => context.invoke(undefined, ERROR, {}),
  '5-6': (context) => context.invoke(undefined, ERROR, {}).catch(() => 'fallback'),
  '5-7': async (context) =>
    (await context.invoke(undefined, ECHO, { text: 'x'.repeat(200 * 1024) })).text.length,
  '5-8': (context, { tenantId, payload }) => context.invoke(undefined, TENANTS, payload, { tenantId }),
  '5-9': async (context) => {
    const result = await context.invoke(undefined, ECHO, 'once')
    await context.wait({ seconds: 1 })
    return result
  },
  '5-10': async (context) => {
    const caught = await context.invoke(undefined, ERROR, {}).catch((error) => error.message)
    await context.wait({ seconds: 1 })
    return caught
  },
  '5-11': async (context) => {
    const result = await context.step(async () => 'from the step')
    return context.invoke(undefined, ECHO, result)
  },
  '5-12': async (context) => {
    const result = await context.invoke(undefined, ECHO, 'to the step')
    return context.step(async () => result)
  },
  '5-13': (context) => context.runInChildContext((child) => child.invoke(undefined, ECHO, 'inside')),
  '5-14': async (context) => [
    await context.invoke(undefined, ECHO, 'one'),
    await context.invoke(undefined, ECHO, 'two'),
  ],
  '5-15': (context, input) =>
    context.invoke(undefined, ECHO, input, {
      payloadSerdes: {
        ...json,
        serialize: async ({ data }) => JSON.stringify({ data: data.toUpperCase() }),
      },
    }),
  // The text that came back, quotes and all, in capitals.
  '5-16': (context, input) =>
    context.invoke(undefined, ECHO, input, {
      resultSerdes: { ...json, deserialize: async (text) => text?.toUpperCase() },
    }),
}
