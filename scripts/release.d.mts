export interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly repository?: { readonly type?: string; readonly url: string; readonly directory?: string }
  readonly publishConfig?: Readonly<Record<string, unknown>>
  readonly scripts?: Readonly<Record<string, string>>
}
export declare function readManifests(): readonly Manifest[]
export declare function withVersion(manifest: Manifest, version: string): Manifest
export declare function problemsOf(
  tag: string,
  manifests: readonly Manifest[],
  changelog: string,
  repository: string | undefined,
): string[]
