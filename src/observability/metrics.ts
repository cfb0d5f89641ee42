/** Metrics in memory, rendered in Prometheus' text format (version 0.0.4). */
import type { MetricLabels, Metrics } from '#observability/port.ts'

export interface RenderedMetrics extends Metrics {
  /** Content for `text/plain; version=0.0.4`, sorted, so that two renderings can be compared. */
  render(): string
}

/** Upper bounds in the unit that the caller observes in; durations are seconds by Prometheus' convention. */
const DEFAULT_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]
/** Label sets of one metric. More would be a label that carries ids; they are counted and left out. */
const MAX_SERIES = 2000

interface Histogram {
  readonly counts: number[]
  sum: number
  count: number
}
interface Family<Value> {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: Map<string, Value>
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const OVERFLOW = 'lambent_metrics_dropped_total'

export function createMetrics(options: { readonly buckets?: readonly number[] } = {}): RenderedMetrics {
  const { buckets = DEFAULT_BUCKETS } = options
  const numbers = new Map<string, Family<{ value: number }>>()
  const histograms = new Map<string, Family<Histogram>>()
  let dropped = 0

  /** The series of a label set, made by `create` when it is new; undefined when the metric has too many. */
  const find = <Value>(
    families: Map<string, Family<Value>>,
    type: Family<Value>['type'],
    name: string,
    labels: MetricLabels | undefined,
    create: () => Value,
  ): Value | undefined => {
    let family = families.get(name)
    if (!family) {
      if (!NAME.test(name)) throw new Error(`"${name}" is no name of a metric`)
      family = { type, series: new Map() }
      families.set(name, family)
    }
    if (family.type !== type) throw new Error(`The metric "${name}" is a ${family.type}, not a ${type}`)
    const key = labels ? renderLabels(labels) : ''
    const known = family.series.get(key)
    if (known) return known
    if (family.series.size >= MAX_SERIES) {
      dropped++
      return undefined
    }
    const value = create()
    family.series.set(key, value)
    return value
  }

  const renderNumbers = (lines: string[]) => {
    for (const [name, { type, series }] of numbers) {
      lines.push(`# TYPE ${name} ${type}`)
      for (const [labels, { value }] of series) lines.push(`${name}${wrap(labels)} ${value}`)
    }
  }
  const renderHistogram = (lines: string[], name: string, labels: string, histogram: Histogram) => {
    const prefix = labels === '' ? '' : `${labels},`
    let below = 0
    for (const [index, bound] of buckets.entries()) {
      below += histogram.counts[index] ?? 0
      lines.push(`${name}_bucket{${prefix}le="${bound}"} ${below}`)
    }
    lines.push(
      `${name}_bucket{${prefix}le="+Inf"} ${histogram.count}`,
      `${name}_sum${wrap(labels)} ${histogram.sum}`,
      `${name}_count${wrap(labels)} ${histogram.count}`,
    )
  }

  return {
    count(name, by = 1, labels) {
      const series = find(numbers, 'counter', name, labels, () => ({ value: 0 }))
      if (series) series.value += by
    },
    gauge(name, value, labels) {
      const series = find(numbers, 'gauge', name, labels, () => ({ value: 0 }))
      if (series) series.value = value
    },
    observe(name, value, labels) {
      const histogram = find(histograms, 'histogram', name, labels, () => ({
        counts: buckets.map(() => 0),
        sum: 0,
        count: 0,
      }))
      if (!histogram) return
      const bucket = buckets.findIndex((bound) => value <= bound)
      if (bucket !== -1) histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1
      histogram.sum += value
      histogram.count++
    },
    render() {
      const lines: string[] = []
      renderNumbers(lines)
      for (const [name, { series }] of histograms) {
        lines.push(`# TYPE ${name} histogram`)
        for (const [labels, histogram] of series) renderHistogram(lines, name, labels, histogram)
      }
      if (dropped > 0) lines.push(`# TYPE ${OVERFLOW} counter`, `${OVERFLOW} ${dropped}`)
      return lines.length === 0 ? '' : `${lines.join('\n')}\n`
    },
  }
}

const wrap = (labels: string) => (labels === '' ? '' : `{${labels}}`)

function renderLabels(labels: MetricLabels): string {
  return Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (!LABEL.test(name)) throw new Error(`"${name}" is no name of a label`)
      const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
      return `${name}="${escaped}"`
    })
    .join(',')
}
