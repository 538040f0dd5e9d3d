export declare function packAll(folder: string): { readonly name: string; readonly tarball: string }[]
