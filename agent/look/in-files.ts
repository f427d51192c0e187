// Looks for values in the files of stacks, below the folders that stacks may lie in: Compose files, `.env`, and
// whatever an `env_file` may name.
import { isInside, realPath, type AllowedFolders } from '../compose/allowed-folders.ts'
import type { Looking } from './looking.ts'
import { smallFiles } from './small-files.ts'

export const lookInFiles = async (
  looking: Looking,
  { allowDirs, ownDirs }: AllowedFolders,
): Promise<void> => {
  const isAllowed = (folder: string): boolean => !ownDirs.some((own) => isInside(folder, own))
  for (const root of allowDirs) {
    const files = smallFiles(await realPath(root), isAllowed)
    for await (const path of files.paths()) {
      if (looking.isOver()) return
      for (const { line, values } of await looking.findInFile(path))
        looking.note({ kind: 'file', at: `${path}:${line}` }, values)
    }
    if (files.isCut()) looking.unread(`folder ${root}: too many files`)
  }
}
