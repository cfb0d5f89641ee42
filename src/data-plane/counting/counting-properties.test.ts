import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { LambdaError } from '#contracts/errors.ts'
import { createCounting } from '#data-plane/counting/create-counting.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

const ACCOUNT_CONCURRENCY = 6
const NAMES = ['f', 'g', 'h'] as const
const VERSIONS = ['1', '2'] as const
const SCOPE = { account: '111122223333', region: 'eu-west-1' }

type Name = (typeof NAMES)[number]
type Version = (typeof VERSIONS)[number]
type Step =
  | { readonly kind: 'admit'; readonly name: Name; readonly version: Version }
  /** `twice`: as a crash and a hang-up both do that are told of the same invocation. */
  | { readonly kind: 'release'; readonly pick: number; readonly twice: boolean }
  | {
      readonly kind: 'limits'
      readonly name: Name
      readonly reserved: number | undefined
      readonly provisioned: number
    }
  | { readonly kind: 'provisioned'; readonly name: Name; readonly version: Version; readonly ready: number }

const name = fc.constantFrom(...NAMES)
const version = fc.constantFrom(...VERSIONS)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('admit' as const), name, version }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat(100), twice: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('limits' as const),
      name,
      reserved: fc.option(fc.nat(4), { nil: undefined }),
      provisioned: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('provisioned' as const), name, version, ready: fc.nat(3) }),
  },
)

interface Running {
  readonly name: Name
  /** The pool of provisioned environments that it runs on; undefined: on demand. */
  readonly pool: { ready: number } | undefined
  readonly release: () => void
}

/** The rules written down anew, without a counter that could go wrong: everything is counted each time. */
class Model {
  readonly running: Running[] = []
  readonly limits = new Map<Name, { reserved: number | undefined; provisioned: number }>()
  readonly pools = new Map<string, { ready: number }>()

  #provisionedOf(of: Name) {
    const ready = VERSIONS.reduce((sum, each) => sum + (this.pools.get(`${of}/${each}`)?.ready ?? 0), 0)
    return Math.min(this.limits.get(of)?.provisioned ?? 0, ready)
  }
  #onDemand(of: Name) {
    return this.running.filter((each) => each.name === of && !each.pool).length
  }
  /** Where the next one runs; a text: why not. */
  admits(of: Name, onVersion: Version): { ready: number } | 'on demand' | string {
    const pool = this.pools.get(`${of}/${onVersion}`)
    if (pool && this.running.filter((each) => each.pool === pool).length < pool.ready) return pool
    const reserved = this.limits.get(of)?.reserved
    if (reserved !== undefined) {
      return this.#onDemand(of) < reserved - this.#provisionedOf(of)
        ? 'on demand'
        : 'ReservedFunctionConcurrentInvocationLimitExceeded'
    }
    const shared = NAMES.filter((each) => this.limits.get(each)?.reserved === undefined)
    const used = shared.reduce((sum, each) => sum + this.#onDemand(each), 0)
    const taken = NAMES.reduce(
      (sum, each) => sum + (this.limits.get(each)?.reserved ?? this.#provisionedOf(each)),
      0,
    )
    return used < ACCOUNT_CONCURRENCY - taken ? 'on demand' : 'ConcurrentInvocationLimitExceeded'
  }
}

test('counting: admits exactly what the rules allow, and no place is lost, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const counting = createCounting({
        clock: createVirtualClock(),
        accountConcurrency: ACCOUNT_CONCURRENCY,
        requestRatePerConcurrency: Number.POSITIVE_INFINITY,
      })
      const model = new Model()
      for (const each of steps) {
        if (each.kind === 'admit') {
          const expected = model.admits(each.name, each.version)
          try {
            const release = counting.admit({ ...SCOPE, name: each.name }, each.version)
            assert.ok(
              expected === 'on demand' || typeof expected !== 'string',
              `admitted in spite of ${expected}`,
            )
            const pool = typeof expected === 'string' ? undefined : expected
            model.running.push({ name: each.name, pool, release })
          } catch (error) {
            if (!(error instanceof LambdaError)) throw error
            assert.equal(error.members['Reason'], expected)
          }
        } else if (each.kind === 'release') {
          const [ended] = model.running.splice(each.pick % Math.max(1, model.running.length), 1)
          ended?.release()
          if (each.twice) ended?.release()
        } else if (each.kind === 'limits') {
          const { reserved, provisioned } = each
          counting.setLimits({ ...SCOPE, name: each.name }, { reserved, provisioned })
          model.limits.set(each.name, { reserved, provisioned })
        } else {
          const key = `${each.name}/${each.version}`
          counting.setProvisioned({ ...SCOPE, name: each.name }, each.version, each.ready)
          const pool = model.pools.get(key)
          if (each.ready === 0) model.pools.delete(key)
          else if (pool) pool.ready = each.ready
          else model.pools.set(key, { ready: each.ready })
        }
        assert.equal(counting.inFlight(SCOPE), model.running.length)
      }
      for (const { release } of model.running) release()
      assert.equal(counting.inFlight(SCOPE), 0)
    }),
    { numRuns: 500 },
  )
})

test('counting: never more at once than the account has, as long as limits do not change below what runs', () => {
  fc.assert(
    fc.property(
      fc.dictionary(name, fc.nat(2)),
      fc.array(fc.tuple(name, fc.boolean()), { maxLength: 100 }),
      (reservations, requests) => {
        const counting = createCounting({
          clock: createVirtualClock(),
          accountConcurrency: ACCOUNT_CONCURRENCY,
          requestRatePerConcurrency: Number.POSITIVE_INFINITY,
        })
        for (const [of, reserved] of Object.entries(reservations))
          counting.setLimits({ ...SCOPE, name: of }, { reserved, provisioned: 0 })
        const running: (() => void)[] = []
        for (const [of, ends] of requests) {
          try {
            running.push(counting.admit({ ...SCOPE, name: of }, '1'))
          } catch (error) {
            assert.ok(error instanceof LambdaError)
          }
          assert.ok(counting.inFlight(SCOPE) <= ACCOUNT_CONCURRENCY)
          if (ends) running.shift()?.()
        }
      },
    ),
  )
})
