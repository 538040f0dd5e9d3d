export interface SystemTool {
  readonly name: string
  readonly commands: readonly string[]
  readonly package: string
  /** What must be there besides a command. */
  readonly files?: readonly string[]
  readonly why: string
}
export interface Runtime {
  readonly name: string
  readonly package: string
  readonly version: string
  readonly binary: string
  readonly why: string
}
export interface Framework {
  readonly name: string
  readonly packages: Readonly<Record<string, string>>
  readonly why: string
}
export declare const root: string
export declare const systemTools: readonly SystemTool[]
export declare const runtimes: readonly Runtime[]
export declare const frameworks: readonly Framework[]
export declare const benchSystemTools: readonly SystemTool[]
export declare const benchPackages: readonly Framework[]
export declare function toolFolder(tool: Runtime | Framework): string
export declare function hasRuntime(runtime: Runtime): boolean
export declare function hasFramework(framework: Framework): boolean
export declare function hasSystemTool(tool: SystemTool): boolean
export declare function findCommand(...commands: string[]): string | undefined
export declare const tools: Readonly<
  Record<
    | 'chromium'
    | 'curl'
    | 'python3'
    | 'sqlite3'
    | 'nginx'
    | 'haproxy'
    | 'caddy'
    | 'openssl'
    | 'node20'
    | 'node22'
    | 'node24'
    | 'bun'
    | 'deno'
    | 'workerd',
    string
  >
>
