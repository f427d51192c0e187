import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../src/kernel/whole-file.ts'
import type { ShownCertificate } from './certificate.ts'
import type { Config } from './config.ts'
import { readAdminToken } from './data-dir.ts'
import type { Opened } from '../src/store/open-store.ts'

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
