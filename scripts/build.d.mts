export declare const packages: readonly string[]
export declare function build(): boolean
export declare function brokenUrls(dist: string, place?: string): string[]
