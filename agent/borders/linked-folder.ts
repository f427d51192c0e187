// The controller judges by their names which folders a login may choose: see ADR 0092. Only here it shows that a name leads
// into the folder of another stack by a link, such as releases/42 where the other one is in current -> releases/42.
import { liesBelow } from '../../src/access/folders.ts'
import type { ComposeSpec } from '../../src/kinds/stagelet/compose.ts'
import { isInside, realPath, type StackFault } from '../compose/allowed-folders.ts'
import type { StateFile } from '../state/state-file.ts'

interface Chosen {
  readonly uid: string
  readonly spec: Pick<ComposeSpec, 'directory' | 'copyOf'>
}

/** A fault before the stack is first deployed from its folder, and before that is made as a copy. What runs stays. */
export const faultOfLinkedFolder = async (
  stateFile: Pick<StateFile, 'get' | 'uids'>,
  { uid, spec: { directory, copyOf } }: Chosen,
): Promise<StackFault | undefined> => {
  const own = stateFile.get(uid)
  if (own !== undefined && (own.directory ?? directory) === directory) return undefined
  const chosen = copyOf === undefined ? [directory] : [directory, copyOf]
  const others = stateFile
    .uids()
    .filter((other) => other !== uid)
    .flatMap((other) => stateFile.get(other)?.directory ?? [])
  for (const folder of new Set(others)) {
    const theirs = await realPath(folder)
    for (const path of chosen) {
      if (liesBelow(path, folder) || liesBelow(folder, path)) continue
      const real = await realPath(path)
      if (!isInside(real, theirs) && !isInside(theirs, real)) continue
      // The other folder is not named: whoever reads the status may not know it.
      const message = `${path} leads by a link to the folder of another stack: choose another folder, or name the one of that stack as its stagelet does`
      return { reason: 'DirectoryNotAllowed', message }
    }
  }
  return undefined
}
