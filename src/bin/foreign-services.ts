/** Services that run elsewhere instead of at our own endpoint, as the setting `services` names them. */
import type { ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import { createForeignCalls } from '#wire/foreign-calls.ts'
import type { ServiceModel } from '#wire/model.ts'
import { BadSetting, type Settings } from '#bin/settings.ts'

/** Event source mappings poll its queues too, so it has settings of its own. */
const QUEUES = 'sqs'

/** Throws `BadSetting`. */
export function createForeignServices(
  settings: Pick<Settings, 'services' | 'sqs-endpoint' | 'sqs-access-key-id' | 'sqs-secret-access-key'>,
  models: readonly ServiceModel[],
  clock: Clock,
): ReadonlyMap<string, ServiceCalls> {
  const foreign = new Map(readForeignServices(settings.services, models, clock))
  const url = settings['sqs-endpoint']
  const model = models.find(({ name }) => name === QUEUES)
  if (!url || !model) return foreign
  const accessKeyId = settings['sqs-access-key-id']
  const credentials = accessKeyId ? { accessKeyId, secret: settings['sqs-secret-access-key'] } : undefined
  return foreign.set(QUEUES, createForeignCalls({ model, url, credentials, clock }))
}

/** `sns=https://KEY:SECRET@sns.eu-central-1.amazonaws.com,events=http://127.0.0.1:4010`. Throws `BadSetting`. */
function readForeignServices(
  text: string,
  models: readonly ServiceModel[],
  clock: Clock,
): ReadonlyMap<string, ServiceCalls> {
  const others = models.filter(({ name }) => name !== QUEUES)
  const known = others.map(({ name }) => name).join(', ')
  const entries = text.split(',').filter((entry) => entry.trim() !== '')
  return new Map(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      const name = entry.slice(0, at).trim()
      const model = others.find((each) => each.name === name)
      if (!model)
        throw new BadSetting(
          `--services: ${JSON.stringify(name)} is none of ${known}; queues: --sqs-endpoint`,
        )
      const url = URL.parse(entry.slice(at + 1).trim())
      if (!url || !/^https?:$/.test(url.protocol)) {
        throw new BadSetting(`--services: ${name} needs a URL, such as ${name}=https://KEY:SECRET@host`)
      }
      const { username, password } = url
      url.username = ''
      url.password = ''
      const credentials = username
        ? { accessKeyId: decodeURIComponent(username), secret: decodeURIComponent(password) }
        : undefined
      return [name, createForeignCalls({ model, url: url.href, credentials, clock })]
    }),
  )
}
