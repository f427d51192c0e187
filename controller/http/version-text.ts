// A resourceVersion as clients send it. After a restore it has 16 digits: src/store/backup/restore.ts.

/** undefined: it is none. */
export const versionIn = (text: string): number | undefined =>
  /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
