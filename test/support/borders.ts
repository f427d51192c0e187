// Borders of tests, whose stacks lie below the folder for temporary files.
import { tmpdir } from 'node:os'
import type { Borders } from '../../agent/borders.ts'

export const tmpBorders: Borders = { allowDirs: [tmpdir()], ownDirs: [] }
