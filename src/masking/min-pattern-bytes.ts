/** Length of the shortest value, and of the shortest pattern, that is masked, in bytes. */
export const minPatternBytes = 8
