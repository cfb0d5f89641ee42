/** Where images come from: our own registry, or another one. All of it throws `ImageRefused`. */
export interface FetchedManifest {
  readonly bytes: Uint8Array
  readonly mediaType: string
  /** Of these bytes, computed here. */
  readonly digest: string
}

export interface BlobFile extends AsyncDisposable {
  /** Holds the bytes, verified; until disposed of. */
  readonly path: string
}

export interface ImageSource {
  /** By tag or digest; a digest is verified. */
  manifest(repository: string, reference: string, signal?: AbortSignal): Promise<FetchedManifest>
  /** A blob in a file, with the digest and size that its descriptor says. */
  blob(
    repository: string,
    blob: { readonly digest: string; readonly sizeBytes: number },
    signal?: AbortSignal,
  ): Promise<BlobFile>
}
