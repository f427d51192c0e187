import { Hono } from 'hono'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { AppEnv } from './env.ts'
import { noteDenied } from './note-denied.ts'

/** A server whose audit log takes until `stored` to write a row. */
const serve = (error: StagelyError, stored: Promise<void>): Hono<AppEnv> => {
  const app = new Hono<AppEnv>()
  const log = { record: () => stored, countUnknown: () => undefined, stop: () => stored }
  app.onError(async (_, c) => {
    await noteDenied(c, error, log)
    return c.text('refused')
  })
  app.get('/projects', () => {
    throw error
  })
  return app
}

describe('a refusal', () => {
  const never = new Promise<void>(() => undefined)

  it('that hides what another team has takes no longer than one of nothing', async () => {
    const denied = { why: 'OtherTeam' as const, namespace: 'red' }
    const hidden = new StagelyError('NotFound', 'project not found', { denied })
    expect(await (await serve(hidden, never).request('/projects')).text()).toBe('refused')
  })

  it('for want of a right waits until it is in the audit log', async () => {
    const forbidden = new StagelyError('Forbidden', 'no')
    let answered = false
    void Promise.resolve(serve(forbidden, never).request('/projects')).then(() => {
      answered = true
    })
    await sleep(50)
    expect(answered).toBe(false)
    expect((await serve(forbidden, Promise.resolve()).request('/projects')).status).toBe(200)
  })
})
