// AllowedFolders of tests, whose stacks lie below the folder for temporary files.
import { tmpdir } from 'node:os'
import type { AllowedFolders } from '../../../agent/compose/allowed-folders.ts'

export const tmpBorders: AllowedFolders = { allowDirs: [tmpdir()], ownDirs: [] }

/** On a machine where no container writes anything of it. */
export const noMounts = (): Promise<[]> => Promise.resolve([])

/** Of a request to read a stack's files. */
export const forStack = { uid: 'stack', isEnding: false } as const

/** Where no stagelet chooses images. */
export const noImages = (): never => {
  throw new Error('no image was chosen')
}
