// One sentence about a failed start, if a person can mend it. Pure.
import { messageOf, StagelyError } from '../src/kernel/errors.ts'
import { sqlStateOf } from '../src/store/core/errors.ts'

/** By SQLSTATE. */
const refusals: Readonly<Partial<Record<string, string>>> = {
  '3D000': 'create the database, or correct its name in DATABASE_URL',
  '28P01': 'correct user and password in DATABASE_URL',
  '28000': 'correct the user in DATABASE_URL, or let it in (pg_hba.conf)',
  '42501': 'the user of DATABASE_URL must own the database, or may create in its schema',
  '53100': "free space on the database server's disk",
  '53300': 'the server has no connection left: raise max_connections, or end others',
}

/** ENOSPC from Node, or from the embedded database, which uses WASI's number. */
const isDiskFull = (error: unknown): boolean => {
  const { code, errno, name } = (error ?? {}) as { code?: unknown; errno?: unknown; name?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return true
  return (name === 'ErrnoError' && errno === 51) || /ENOSPC|No space left/i.test(messageOf(error))
}

/** undefined for any other error: then the stack says more. */
export const startFault = (error: unknown, dataDir: string): string | undefined => {
  if (isDiskFull(error))
    return `no space is left on the disk of ${dataDir}: free some, and start again`
  const remedy = refusals[sqlStateOf(error) ?? '']
  if (remedy !== undefined) return `${messageOf(error)}: ${remedy}`
  if (error instanceof StagelyError) return error.message
  const { syscall } = (error ?? {}) as { syscall?: unknown }
  if (syscall === 'listen')
    return `cannot listen: ${messageOf(error)}; --listen HOST:PORT names another address`
  return undefined
}
