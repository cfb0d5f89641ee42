const json = { deserialize: async (text) => (text === undefined ? undefined : JSON.parse(text)) }
const submitter = async () => {}

/** A callback of this name, awaited at once. */
const callback = async (context, name, config) => {
  const [promise] = await context.createCallback(name, config)
  return promise
}
const caught = (promise, result) => promise.catch((error) => result ?? error.message)

module.exports = {
  '4-1': (context, name) => callback(context, name),
  '4-2': (context) => callback(context, 'approval'),
  '4-3': (context, name) => callback(context, name, { timeout: { seconds: 5 } }),
  '4-4': (context, name) => callback(context, name, { heartbeatTimeout: { seconds: 5 } }),
  '4-5': (context, name) => callback(context, name, { heartbeatTimeout: { seconds: 10 } }),
  '4-6': (context, name) => callback(context, name),
  '4-7': async (context, name) => {
    const [promise] = await context.createCallback(name)
    await context.step(async () => 'between')
    return promise
  },
  '4-8': async (context, name) => {
    const [promise] = await context.createCallback(name, { timeout: { seconds: 5 } })
    await context.step(async () => 'between')
    return promise
  },
  '4-9': async (context, name) => {
    const [promise] = await context.createCallback(name)
    await context.wait({ seconds: 5 })
    return promise
  },
  '4-10': async (context, name) => {
    const [promise] = await context.createCallback(name)
    await context.wait({ seconds: 5 })
    return promise
  },
  '4-11': async (context, name) => {
    const [promise] = await context.createCallback(name, { timeout: { seconds: 3 } })
    await context.wait({ seconds: 6 })
    return promise
  },
  '4-12': async (context, name) => {
    const result = await callback(context, name)
    await context.wait({ seconds: 2 })
    return result
  },
  '4-13': async (context, name) => {
    const result = await caught(callback(context, name))
    await context.wait({ seconds: 2 })
    return result
  },
  '4-14': async (context, name) => {
    const result = await caught(callback(context, name, { timeout: { seconds: 3 } }))
    await context.wait({ seconds: 2 })
    return result
  },
  '4-15': async (context, name) => ({
    received: await callback(context, name, {
      serdes: {
        deserialize: async (text) => {
          const received = JSON.parse(text)
          return { ...received, timestamp: Date.parse(received.timestamp) / 1000 }
        },
      },
    }),
  }),
  '4-16': async (context, name) => {
    const count = await callback(context, name, { serdes: { deserialize: async (text) => Number(text) } })
    return { count, doubled: 2 * count }
  },
  '4-17': async (context, [a, b]) => [await callback(context, a), await callback(context, b)],
  '4-18': async (context, [a, b]) => {
    const [first] = await context.createCallback(a)
    const [second] = await context.createCallback(b)
    return [await first, await second]
  },
  '4-19': async (context, [a, b]) => {
    const [first] = await context.createCallback(a)
    const [second] = await context.createCallback(b)
    const late = await second
    return [await first, late]
  },

  '7-1': (context, name) => context.waitForCallback(name, submitter),
  '7-2': (context) => context.waitForCallback('approval', submitter),
  '7-3': (context) => context.waitForCallback(async () => {}),
  '7-4': (context, name) => context.waitForCallback(name, submitter),
  '7-5': (context, name) => context.waitForCallback(name, submitter, { timeout: { seconds: 3 } }),
  '7-6': (context, name) => caught(context.waitForCallback(name, submitter), 'recovered'),
  '7-7': (context, name) =>
    context.waitForCallback(
      name,
      async () => {
        throw new Error('nobody to tell')
      },
      { retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < 2, delay: { seconds: 1 } }) },
    ),
  '7-8': (context, name) =>
    context.runInChildContext('wrapper', (child) => child.waitForCallback(name, submitter)),
  '7-9': async (context) => {
    await context.waitForCallback('first', submitter)
    return context.waitForCallback('second', submitter)
  },
  '7-10': async (context, name) => {
    await context.wait({ seconds: 1 })
    await context.step(async () => ({ fixed: 'data' }))
    return context.waitForCallback(name, submitter)
  },
  '7-11': async (context, name) => (await context.waitForCallback(name, submitter, { serdes: json })).status,
  '7-12': (context, name) => context.waitForCallback(name, submitter, { heartbeatTimeout: { seconds: 5 } }),
  '7-13': (context, name) => context.waitForCallback(name, submitter, { heartbeatTimeout: { seconds: 10 } }),
  '7-14': (context, name) =>
    caught(context.waitForCallback(name, submitter, { timeout: { seconds: 3 } }), 'timed-out-handled'),
  '7-15': (context, name) => context.waitForCallback(name, submitter),
}
