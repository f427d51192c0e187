// Small secrets of the controller itself, sealed: its CA, its keys.
import type { KeyProvider } from '../secrets/key-provider.ts'
import type { Sql } from './sql.ts'

export const settingContext = (key: string): string => `setting ${key}`

export class Settings {
  readonly #sql: Sql
  readonly #provider: KeyProvider

  constructor(sql: Sql, provider: KeyProvider) {
    this.#sql = sql
    this.#provider = provider
  }

  async getSealed(key: string): Promise<Buffer | undefined> {
    const [row] = await this.#sql.query<{ sealed: string }>(
      'SELECT sealed FROM settings WHERE key = $1',
      [key],
    )
    return row === undefined ? undefined : this.#provider.unwrap(row.sealed, settingContext(key))
  }

  /** Returns what is stored afterwards: the first writer wins, so that two controllers agree. */
  async putSealedIfAbsent(key: string, bytes: Buffer): Promise<Buffer> {
    const sealed = await this.#provider.wrap(bytes, settingContext(key))
    await this.#sql.query(
      'INSERT INTO settings (key, sealed) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING',
      [key, sealed],
    )
    return (await this.getSealed(key)) ?? bytes
  }
}
