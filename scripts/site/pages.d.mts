/** Path in the repository to path in the site. */
export const pagesOf: (root: string) => ReadonlyMap<string, string>
