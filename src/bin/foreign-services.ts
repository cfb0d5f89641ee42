/** Services that run elsewhere instead of at our own endpoint, as the setting `services` names them. */
import type { ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import { createForeignCalls } from '#wire/foreign-calls.ts'
import type { ServiceModel } from '#wire/model.ts'
import { BadSetting } from '#bin/settings.ts'

/** `sns=https://KEY:SECRET@sns.eu-central-1.amazonaws.com,events=http://127.0.0.1:4010`. Throws `BadSetting`. */
export function readForeignServices(
  text: string,
  models: readonly ServiceModel[],
  clock: Clock,
): ReadonlyMap<string, ServiceCalls> {
  const known = models.map(({ name }) => name).join(', ')
  const entries = text.split(',').filter((entry) => entry.trim() !== '')
  return new Map(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      const name = entry.slice(0, at).trim()
      const model = models.find((each) => each.name === name)
      if (!model) throw new BadSetting(`--services: ${JSON.stringify(name)} is none of ${known}`)
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
