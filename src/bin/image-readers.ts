/** Who may make functions of the images in our own registry. Other registries ask for credentials themselves. */
import type { Scope } from '#contracts/arn.ts'
import type { ImageReaders } from '#control-plane/port.ts'
import { ownRepository, parseReference } from '#images/reference.ts'
import type { Principal } from '#wire/service.ts'

export function createImageReaders(options: {
  readonly home: Scope
  readonly port: number
  /** Undefined: policies are not asked, and everybody may read what belongs to the own account. */
  readonly authorisation:
    | { mayReadImage(caller: Principal, repository: Scope & { readonly name: string }): Promise<boolean> }
    | undefined
}): ImageReaders {
  const { authorisation } = options
  return {
    async mayRead(caller, uri) {
      const reference = parseReference(uri)
      const repository = reference && ownRepository(reference.registry, reference.repository, options)
      if (!repository) return true
      return authorisation
        ? authorisation.mayReadImage(caller, repository)
        : repository.account === caller.account
    },
  }
}
