// A support bundle, unpacked.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Contents by name, without the folder that all are in. */
export const unpackBundle = async (file: string): Promise<Record<string, string>> => {
  const tar = async (...args: string[]): Promise<string> =>
    (await run('tar', args, { maxBuffer: 1 << 26 })).stdout
  const names = (await tar('-tzf', file)).trim().split('\n')
  const files: Record<string, string> = {}
  for (const name of names)
    files[name.slice(name.indexOf('/') + 1)] = await tar('-xzOf', file, name)
  return files
}
