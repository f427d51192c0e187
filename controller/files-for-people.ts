import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../src/kernel/whole-file.ts'
import type { ShownCertificate } from './certificate.ts'
import type { Config } from './config.ts'
import { readAdminToken } from './data-dir.ts'
import type { Opened } from '../src/store/open/open-store.ts'

const writeAdminToken = (dir: string, token: string): Promise<void> =>
  writeWhole(join(dir, 'admin-token'), `${token}\n`, { mode: 0o600 })

/** The command that logs a person of this machine in by those files; undefined where the token was taken away. */
export const loginCommand = (
  url: string,
  { dataDir, agentTrust }: Pick<Config, 'dataDir' | 'agentTrust'>,
): string | undefined => {
  const [token, ca] = [join(dataDir, 'admin-token'), join(dataDir, 'ca.crt')]
  if (!existsSync(token)) return undefined
  const isOwn = url.startsWith('https:') && agentTrust === 'own' && existsSync(ca)
  const trusted = isOwn ? ` --ca-file ${ca}` : ''
  return `stagely login --server ${url}${trusted} --token-file ${token}`
}

/** What to tell a person who has installed a controller. Before its first start nobody knows whether its database is a new one. */
export const loginHint = (
  url: string,
  config: Pick<Config, 'dataDir' | 'agentTrust'>,
  { isRunning }: { readonly isRunning: boolean },
): string => {
  const login = loginCommand(url, config)
  if (login !== undefined) return `then: ${login}`
  const { dataDir, agentTrust } = config
  const old = `log in with a token that its database knows; have you none: stagely controller break-glass --data-dir ${dataDir} --reason TEXT`
  if (isRunning) return `then ${old}`
  const trusted = agentTrust === 'own' ? ` --ca-file ${dataDir}/ca.crt` : ''
  return `then: stagely login --server ${url}${trusted} --token-file ${dataDir}/admin-token (the start writes these files; after a restore it writes no token: ${old})`
}

/** Writes the files in the data folder with which a person can log in. */
export const writeForPeople = async (
  { dataDir, adminTokenFile }: Config,
  { ca }: ShownCertificate,
  tokens: Opened['tokens'],
): Promise<void> => {
  if (ca !== undefined) await writeWhole(join(dataDir, 'ca.crt'), ca.pem, { mode: 0o644 })
  await tokens.ensureAdmin(
    (token) => writeAdminToken(dataDir, token),
    await readAdminToken(adminTokenFile),
  )
}
