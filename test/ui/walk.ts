// Every page, in both themes, narrow, and with forced colours: nothing on it keeps a person out. Also what each role
// may do on the pages, compared with the rights of the routes.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import type { Page, Request } from 'playwright-core'
import { restRoutes } from '../../controller/http/rest/table.ts'
import { rightsOf, rolesWith, type Resource, type Verb } from '../../src/access/roles.ts'
import { teamRoles, type TeamRole } from '../../src/access/team-roles.ts'
import { defined } from '../../src/kernel/defined.ts'
import { soak } from '../support/soak.ts'
import type { Dashboard } from './dashboard.ts'
import { goTo } from './within.ts'

const table = readFileSync(resolve(import.meta.dirname, '../../dashboard/app/pages.ts'), 'utf8')

const names: Readonly<Record<string, string>> = {
  ':team': 'default',
  ':project': 'shop',
  ':stagelet': 'shop',
  ':agent': 'box',
  ':revision': '1',
  ':kind': 'stack',
  ':request': 'req-none',
  ':name': 'shop',
}

/** The pages of the table, and what else an address opens in them. */
const addresses = [
  ...[...table.matchAll(/path: '([^']+)'/g)].map(([, path = '']) =>
    path.replace(/:\w+/g, (name) => names[name] ?? name),
  ),
  '/ui/nowhere',
  '/ui/t/default/p/shop/revisions/newest',
  ...['store', 'rotation', 'notifier', 'project'].map((kind) => `/ui/new/${kind}`),
  ...['logs', 'history', 'why'].map((tab) => `/ui/t/default/s/shop?tab=${tab}`),
  '/ui/t/default/p/shop?secret=shop-log-level.global',
]

/** Colours of the system change no element, no name and no size: only these rules look at colours. */
const ofColours = ['color-contrast', 'link-in-text-block']

interface Variant {
  readonly width: number
  readonly height: number
  readonly media: {
    readonly colorScheme: 'light' | 'dark'
    readonly forcedColors: 'none' | 'active'
  }
  /** Of axe; absent: all. */
  readonly only?: readonly string[]
}

const variants: readonly Variant[] = [
  { width: 1280, height: 800, media: { colorScheme: 'light', forcedColors: 'none' } },
  { width: 320, height: 640, media: { colorScheme: 'dark', forcedColors: 'none' } },
  {
    width: 1280,
    height: 800,
    only: ofColours,
    media: { colorScheme: 'dark', forcedColors: 'active' },
  },
]

/** What is wrong with the pages, by address and variant. Each is looked at in `count` variants, beginning with the next one on the next page. */
const walk = async ({ open, axe }: Dashboard, count: number): Promise<Record<string, string[]>> => {
  const page = await open('/ui/')
  const found: Record<string, string[]> = {}
  const asked: string[] = []
  const note = (what: string) => (request: Request) => {
    asked.push(`${what} ${request.method()} ${new URL(request.url()).pathname}`)
  }
  page.on('request', note('asks'))
  page.on('requestfinished', note('has'))
  page.on('requestfailed', note('has lost'))
  for (const [at, { width, height, media, only }] of variants.entries()) {
    await page.emulateMedia(media)
    await page.setViewportSize({ width, height })
    const paths = addresses.filter((_, index) => (at + index) % variants.length < count)
    for (const path of paths) {
      asked.push(path)
      await goTo(page, path).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${asked.slice(-40).join('\n')}`)
      })
      // A moment of another day is longer than those of a test.
      const wide = await page.evaluate<number>(`
        for (const time of document.querySelectorAll('table time')) time.textContent = '28 Sep 23:59'
        document.documentElement.scrollWidth`)
      const faults = [
        // What is around the pages is looked at once in each variant.
        ...(await axe(page, { ...defined({ only }), whole: path === paths[0] })),
        ...(wide > width ? [`is ${wide} pixels wide`] : []),
        ...((await page.getByRole('heading', { level: 1 }).count()) === 1 ? [] : ['no one h1']),
        ...(/ · Stagely$/.test(await page.title()) ? [] : ['no title']),
      ]
      if (faults.length > 0) found[`${path} ${width} ${media.colorScheme}`] = faults
    }
  }
  return found
}

export const walkTests = (given: () => Dashboard, count: number = variants.length): void => {
  it('has nothing on any page that keeps a person out, in both themes, at 320 pixels, with forced colours', async () => {
    expect(await walk(given(), count)).toEqual({})
  })

  it('says at each control that a role may not use which roles may, as the routes have it', async () => {
    const { open, rest } = given()
    /** Of a route, or as it is where a route asks for more than one. */
    const right = (id: string) => {
      const [verb, resource] = id.split(' ')
      if (resource !== undefined) return [verb as Verb, resource as Resource] as const
      const access = restRoutes.find((route) => route.id === id)?.access
      if (access === undefined || !('resource' in access)) throw new Error(`${id} has no right`)
      return [access.verb, access.resource] as const
    }
    /** In the short form a page is seen by who are at the border: the last that may do something on it, and the first that may not. */
    const isAsked = (role: TeamRole, controls: Readonly<Record<string, string>>): boolean =>
      soak(0, 1) === 1 ||
      Object.values(controls).some((id) => {
        const may = rolesWith(...right(id))
        return may.at(-1) === role || teamRoles.find((one) => !may.includes(one)) === role
      })
    let page: Page | undefined
    for (const role of teamRoles) {
      const pages = Object.entries(controlsOf).filter(([, controls]) => isAsked(role, controls))
      if (pages.length === 0) continue
      const name = `is-${role}`
      await rest('POST', '/users', { name })
      await rest('PUT', `/teams/default/members/${name}`, { role })
      const made = await rest('POST', `/users/${name}/tokens`, { name: 'theirs' })
      const { token } = JSON.parse(made) as { token: string }
      page = await open('/ui/', { token, after: page })
      for (const [path, controls] of pages) {
        await goTo(page, path)
        for (const [name, id] of Object.entries(controls)) {
          const [verb, resource] = right(id)
          const may = rightsOf[role][resource]?.includes(verb) === true
          const button = page.getByRole('button', { name, exact: true })
          const title = (await button.getAttribute('title')) ?? ''
          const who = rolesWith(verb, resource).join(' or ')
          const said = `${role}: ${path} ${name}: ${title}`
          if (may) expect(said).not.toContain('Needs the role')
          else {
            expect(said).toContain(`: Needs the role ${who} in `)
            expect(await button.getAttribute('aria-disabled')).toBe('true')
          }
        }
      }
      await rest('DELETE', `/users/${name}`)
    }
  })
}

/** Controls by page, each with the route that it asks. */
const controlsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/ui/t/default/p/shop?secret=shop-log-level.global': {
    'New secret': 'createSecret',
    Import: 'batchSecrets',
    'Replace value': 'updateSecret',
    Delete: 'deleteSecret',
    'Copy the value': 'get stagelysecrets/value',
    'Show the value': 'get stagelysecrets/value',
    'Where is it?': 'whereIsSecret',
    'Edit the expiry': 'updateSecret',
  },
  '/ui/t/default/s/shop': {
    Deploy: 'deployStagelet',
    Retry: 'retryStagelet',
    Pause: 'updateStagelet',
    'Edit shop': 'patch stagelets',
  },
  '/ui/t/default/p/shop/revisions/newest': { Pause: 'pauseRollout' },
  '/ui/projects': { 'New project': 'createProject' },
  '/ui/notifiers': { 'New notifier': 'createNotifier' },
  '/ui/stores': { 'New store': 'createStore' },
  '/ui/t/default/p/shop/rotations': { 'New rotation': 'createRotation' },
  '/ui/t/default/edit/stack/shop': { Review: 'patch stagelets' },
  '/ui/t/default/p/shop/settings': {
    'Edit shop': 'updateProject',
    'Delete the project…': 'deleteProject',
  },
  '/ui/agents': { 'Add machine': 'createJoinToken' },
  '/ui/t/default/a/box': { Pause: 'updateAgent', Drain: 'updateAgent', Revoke: 'revokeAgent' },
  '/ui/t/default/members': { 'Add a member': 'putMember' },
}
