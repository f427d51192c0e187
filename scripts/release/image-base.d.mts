/** Programs in the images beside stagely itself, and where they are. */
export const programs: Readonly<Record<string, string>>
