export const generatedMark = (source: string): string =>
  `<!-- Generated from ${source} by "npm run generate". Do not edit. -->`
