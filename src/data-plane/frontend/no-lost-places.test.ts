import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { serviceFailure } from '#contracts/errors.ts'
import { createFrontend } from '#data-plane/frontend/create-frontend.ts'
import { sleep } from '#kernel/clock.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const way = fc.constantFrom('answers', 'fails', 'crashes', 'times out', 'client leaves')

test('frontend: every way in which an invocation ends gives its place back, once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ way, streams: fc.boolean(), afterMs: fc.nat(50) }), { maxLength: 20 }),
      async (invocations) => {
        const clock = createVirtualClock()
        let [held, most] = [0, 0]
        const frontend = createFrontend({
          catalog: { resolve: () => aVersion(), allowsRecursion: async () => false },
          counting: {
            admit() {
              most = Math.max(most, ++held)
              return () => void held--
            },
          },
          placement: {
            async invoke({ invocation, signal }) {
              const { way: how, afterMs } = JSON.parse(Buffer.from(invocation.payload).toString()) as {
                way: string
                afterMs: number
              }
              await sleep(clock, how === 'times out' ? 3000 : afterMs, signal)
              if (how === 'crashes') throw serviceFailure('the host is gone')
              const failed = how === 'fails' || how === 'times out'
              return {
                executedVersion: '1',
                payload: Buffer.from('null'),
                ...(failed && { functionError: 'Unhandled' as const }),
              }
            },
          },
          events: { enqueue: async () => {} },
          clock,
          random: seededRandom(1),
        })
        const all = invocations.map(async ({ way: how, streams, afterMs }, n) => {
          const leaving = new AbortController()
          if (how === 'client leaves') clock.after(afterMs / 2, () => leaving.abort(new Error('gone')))
          const request = {
            id: ID,
            qualifier: undefined,
            requestId: `r${n}`,
            payload: Buffer.from(JSON.stringify({ way: how, afterMs })),
            logType: 'None' as const,
            signal: leaving.signal,
          }
          if (!streams) return await frontend.invoke(request)
          const streaming = await frontend.invokeStreaming(request)
          return await streaming.end
        })
        const ended = Promise.allSettled(all)
        await clock.advance(5000)
        await ended
        assert.equal(held, 0)
        assert.equal(most, invocations.length)
      },
    ),
    { numRuns: 30 },
  )
})
