// People who may log in. Every change is audited in its transaction.
import { randomUUID } from 'node:crypto'
import { breakGlassName } from '../../access/break-glass.ts'
import { StagelyError, type Fault } from '../../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import type { WriteSession } from '../core/write-session.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor } from '../core/actor.ts'

export interface User {
  readonly id: string
  /** The login name: unique, and never changed, since audit rows and objects name it. */
  readonly name: string
  readonly email: string | undefined
  readonly displayName: string | undefined
  readonly admin: boolean
  readonly disabled: boolean
  /** Times in ms since the epoch. */
  readonly createdAt: number
  readonly lastLoginAt: number | undefined
}

export interface NewUser {
  readonly name: string
  readonly email?: string | undefined
  readonly displayName?: string | undefined
  readonly admin?: boolean | undefined
}

/** An absent field stays; null removes it. */
interface UserChange {
  readonly email?: string | null | undefined
  readonly displayName?: string | null | undefined
  readonly admin?: boolean | undefined
  readonly disabled?: boolean | undefined
}

const columns = `id, name, email, display_name AS "displayName", admin, disabled_at IS NOT NULL AS disabled,
  created_at AS "createdAt", last_login_at AS "lastLoginAt"`

/** No colon, so that no name looks like a machine's (`machine:team/ci`, `agent:team/box`). */
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._@+-]{0,126}[A-Za-z0-9])?$/
const emailPattern = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u
/** Actors of audit rows that are no persons. */
const reserved = new Set(['controller', 'system', breakGlassName])

export const userRef = (name: string): { kind: string; namespace: string; name: string } => ({
  kind: 'User',
  namespace: '',
  name,
})

const details = (name: string): { kind: string; name: string } => ({ kind: 'users', name })

const noUser = (name: string): StagelyError =>
  new StagelyError('NotFound', `user "${name}" not found`, details(name))

const taken = (name: string, what: string): StagelyError =>
  new StagelyError('AlreadyExists', `user "${name}" already exists: ${what}`, details(name))

const invalidUser = (name: string, faults: readonly Fault[]): StagelyError => {
  const list = faults.map((fault) => `${fault.field}: ${fault.message}`).join(', ')
  return new StagelyError('Invalid', `user "${name}" is invalid: ${list}`, {
    kind: 'User',
    name,
    faults,
  })
}

const checkUser = (name: string, email: string | null | undefined): void => {
  const faults: Fault[] = []
  const bad = (field: string, message: string): void => {
    faults.push({ field, reason: 'FieldValueInvalid', message: `Invalid value: ${message}` })
  }
  if (!namePattern.test(name))
    bad(
      'name',
      'must be letters, digits, ".", "_", "@", "+" and "-", beginning and ending with a letter or digit',
    )
  if (typeof email === 'string' && (email.length > 254 || !emailPattern.test(email)))
    bad('email', 'must be an e-mail address such as ann@example.com')
  if (faults.length > 0) throw invalidUser(name, faults)
}

/**
 * By id, name or e-mail address, whatever their case. NotFound. Old names may differ by case alone: then only the
 * exact name counts. Conflict where no name is exact.
 */
export const findUser = async (q: Queryable, what: string): Promise<User> => {
  const [row, other] = await q.query<RowOf<User> & { isExact: boolean; isName: boolean }>(
    `SELECT ${columns}, id::text = $1 OR name = $1 AS "isExact", lower(name) = lower($1) AS "isName"
     FROM users WHERE id::text = $1 OR lower(name) = lower($1) OR lower(email) = lower($1)
     ORDER BY id::text = $1 DESC, name = $1 DESC, lower(name) = lower($1) DESC, name LIMIT 2`,
    [what],
  )
  if (row === undefined) throw noUser(what)
  const { isExact, isName: _, ...found } = row
  if (!isExact && other?.isName === true)
    throw new StagelyError(
      'Conflict',
      `the users ${row.name} and ${other.name} differ by case only: write the name as it is`,
      details(what),
    )
  return fromRow<User>(found)
}

const checkEmailFree = async (q: Queryable, email: string, name: string): Promise<void> => {
  const [other] = await q.query<{ name: string }>(
    'SELECT name FROM users WHERE lower(email) = lower($1) AND name <> $2',
    [email, name],
  )
  if (other !== undefined) throw taken(other.name, `it has the e-mail address ${email}`)
}

/** Conflict for the last admin. */
const keepAnAdmin = async (q: Queryable, user: User): Promise<void> => {
  const [others] = await q.query<{ count: number }>(
    'SELECT count(*) AS count FROM users WHERE admin AND disabled_at IS NULL AND id <> $1 AND name <> $2',
    [user.id, breakGlassName],
  )
  if ((others?.count ?? 0) > 0 || !user.admin || user.disabled || user.name === breakGlassName)
    return
  throw new StagelyError(
    'Conflict',
    `user "${user.name}" is the last admin: make another user an admin first`,
    details(user.name),
  )
}

/** Within the caller's write. */
export const insertUser = async (session: WriteSession, input: NewUser): Promise<User> => {
  const { name, email, displayName, admin = false } = input
  if (reserved.has(name.toLowerCase()))
    throw invalidUser(name, [
      {
        field: 'name',
        reason: 'FieldValueInvalid',
        message: `Invalid value: the name is reserved: ${[...reserved].join(', ')}`,
      },
    ])
  checkUser(name, email)
  const [same] = await session.tx.query<{ name: string }>(
    'SELECT name FROM users WHERE lower(name) = lower($1)',
    [name],
  )
  if (same !== undefined) throw taken(same.name, 'choose another name')
  if (email !== undefined) await checkEmailFree(session.tx, email, name)
  const id = randomUUID()
  await session.tx.query(
    `INSERT INTO users (id, name, email, display_name, admin, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, name, email ?? null, displayName ?? null, admin, session.nowMs],
  )
  session.audit(userRef(name), { action: 'create user', detail: { userId: id, admin } })
  return findUser(session.tx, id)
}

/** Makes the admin for emergencies, or enables it again, without the tokens that it had when it was disabled. */
export const setBreakGlassUser = async (session: WriteSession): Promise<User> => {
  await session.tx.query(
    `DELETE FROM tokens t USING users u
     WHERE u.id = t.user_id AND u.name = $1 AND u.disabled_at IS NOT NULL`,
    [breakGlassName],
  )
  await session.tx.query(
    `INSERT INTO users (id, name, admin, created_at) VALUES ($1, $2, true, $3)
     ON CONFLICT (name) DO UPDATE SET admin = true, disabled_at = NULL`,
    [randomUUID(), breakGlassName, session.nowMs],
  )
  return findUser(session.tx, breakGlassName)
}

/** Ends the sessions of a person, and what would become one or a token. */
const endLogins = async ({ tx }: WriteSession, userId: string): Promise<void> => {
  await tx.query('DELETE FROM tokens WHERE is_session AND user_id = $1', [userId])
  await tx.query('DELETE FROM login_codes WHERE user_id = $1', [userId])
  await tx.query(
    'DELETE FROM session_codes WHERE token_id IN (SELECT id FROM tokens WHERE user_id = $1)',
    [userId],
  )
}

const asNull = (text: string | undefined): string | null => text ?? null

export class UserStore {
  readonly #sql: Sql
  readonly #changes: AccessChanges

  constructor(sql: Sql, changes: AccessChanges) {
    this.#sql = sql
    this.#changes = changes
  }

  /** In order of their names. */
  async list(): Promise<User[]> {
    const rows = await this.#sql.query<RowOf<User>>(
      `SELECT ${columns} FROM users ORDER BY name COLLATE "C"`,
    )
    return rows.map((row) => fromRow<User>(row))
  }

  /** By id, name or e-mail address. NotFound. */
  get(what: string): Promise<User> {
    return findUser(this.#sql, what)
  }

  /** Invalid with all faults; AlreadyExists for a name or an e-mail address that is taken. */
  create(actor: Actor, input: NewUser): Promise<User> {
    return this.#changes.write(actor, (session) => insertUser(session, input))
  }

  /** Conflict for the last admin. A disabled user is logged out everywhere: the sessions have ended for good, tokens rest. */
  update(actor: Actor, what: string, change: UserChange): Promise<User> {
    return this.#changes.write(actor, async (session) => {
      const before = await findUser(session.tx, what)
      const next = {
        email: change.email === undefined ? asNull(before.email) : change.email,
        displayName:
          change.displayName === undefined ? asNull(before.displayName) : change.displayName,
        admin: change.admin ?? before.admin,
        disabled: change.disabled ?? before.disabled,
      }
      checkUser(before.name, next.email)
      if (next.email !== null) await checkEmailFree(session.tx, next.email, before.name)
      if (!next.admin || next.disabled) await keepAnAdmin(session.tx, before)
      const changed = [
        ...(next.email === asNull(before.email) ? [] : ['email']),
        ...(next.displayName === asNull(before.displayName) ? [] : ['displayName']),
        ...(next.admin === before.admin ? [] : ['admin']),
        ...(next.disabled === before.disabled ? [] : ['disabled']),
      ]
      if (changed.length === 0) return before
      await session.tx.query(
        `UPDATE users SET email = $2, display_name = $3, admin = $4,
           disabled_at = CASE WHEN $5 THEN coalesce(disabled_at, $6) END WHERE id = $1`,
        [before.id, next.email, next.displayName, next.admin, next.disabled, session.nowMs],
      )
      if (next.disabled && !before.disabled) await endLogins(session, before.id)
      const { admin, disabled } = next
      const detail = { userId: before.id, changed, admin, disabled }
      session.audit(userRef(before.name), { action: 'update user', detail })
      return findUser(session.tx, before.id)
    })
  }

  /** Removes the user with tokens and memberships. The audit log keeps the name. Conflict for the last admin. */
  remove(actor: Actor, what: string): Promise<User> {
    return this.#changes.write(actor, async (session) => {
      const user = await findUser(session.tx, what)
      await keepAnAdmin(session.tx, user)
      await session.tx.query('DELETE FROM users WHERE id = $1', [user.id])
      const detail = { userId: user.id }
      session.audit(userRef(user.name), { action: 'delete user', detail })
      return user
    })
  }
}
