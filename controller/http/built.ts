// Files that the build leaves beside the program.
import { fileURLToPath } from 'node:url'

/** A folder below `dist`, for the sources and for the bundle in `dist/cli` alike. */
export const builtFolder = (name: string): string =>
  fileURLToPath(new URL(`../../dist/${name}/`, import.meta.url))
