/** Container images: found in any registry, fetched, verified, and unpacked once for everyone who runs them. */
import type { EcrImage, EcrRepository } from '#contracts/ecr.ts'
import type { Architecture } from '#contracts/function.ts'

/** What the image itself says about how it is started. */
export interface ImageConfig {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** Empty when the image names none. */
  readonly workingDirectory: string
  readonly environment: readonly (readonly [name: string, value: string])[]
  /** As the image has it: a name or a number, with or without a group; empty when it names none. */
  readonly user: string
}

export interface ResolvedImage {
  /** As it was asked for. */
  readonly uri: string
  /** The same with the digest of what the reference named (an index, if it named one) instead of a tag. */
  readonly resolvedUri: string
  /** `sha256:...` of the manifest for `architecture`. */
  readonly manifestDigest: string
  readonly architecture: Architecture
  readonly config: ImageConfig
  /** Sum of the layers as they are transferred. */
  readonly compressedBytes: number
  /** Sum of the files of the unpacked image; known once it was prepared here. */
  readonly unpackedBytes?: number
}

export interface PreparedImage {
  /**
   * Directory with the whole root file system, readable by its owner and as its modes say by others. It is shared by
   * everyone and its files by other images too (they are hard links): it must never be written to.
   */
  readonly root: string
  readonly config: ImageConfig
  readonly unpackedBytes: number
}

/** What names an image for good: its resolved URI, and the platform where that is an index. */
export type ImageKey = Pick<ResolvedImage, 'resolvedUri' | 'architecture'>

export interface Images {
  /**
   * Asks the registry what the URI means now; fetches manifest and configuration, no layers. Rejects with the
   * `LambdaError` that the Lambda API has for it: InvalidParameterValueException (no image, unknown, of no supported
   * kind, not for this architecture, layers too large) or AccessDeniedException; ServiceException when the registry
   * can't be reached.
   */
  resolve(
    uri: string,
    options: { readonly architecture: Architecture; readonly signal?: AbortSignal },
  ): Promise<ResolvedImage>
  /**
   * Fetches and unpacks what is missing; with everything here already it asks no registry and takes milliseconds.
   * Concurrent calls for one image share the work; it ends when the last of their signals aborts.
   * Rejects with a `LambdaError` whose code is a StateReasonCode of the Lambda API: ImageDeleted, ImageAccessDenied,
   * InvalidImage, InternalError. What was fetched by then is kept for the next attempt.
   */
  prepare(image: ImageKey, signal?: AbortSignal): Promise<PreparedImage>
  /**
   * Removes unpacked images that are not among `inUse` (versions in the store, and whatever still runs) and that nobody
   * has asked for within the grace period, then the layers that no image has any more.
   */
  sweep(inUse: readonly ImageKey[]): Promise<void>
}

/** What is in our own registry, for the ECR API. Clients' pushes and pulls go through /v2/. */
export interface RegistryContent {
  /** By tag or digest. */
  image(repository: EcrRepository, reference: string): Promise<EcrImage | undefined>
  /** The bytes of an image's manifest, as text. */
  manifest(image: EcrImage): Promise<string>
  /**
   * Writes a manifest whose layers (or images, of an index) are in the repository already. Rejects with the
   * `LambdaError`s of PutImage.
   */
  putImage(
    repository: EcrRepository,
    push: { readonly manifest: string; readonly mediaType: string; readonly tag?: string },
  ): Promise<EcrImage>
  /** With its tags; false when there was none. */
  deleteImage(repository: EcrRepository, digest: string): Promise<boolean>
  deleteTag(repository: EcrRepository, tag: string): Promise<boolean>
  blobBytes(repository: EcrRepository, digest: string): Promise<number | undefined>
}
