import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WritableMount } from '../docker/mounts.ts'
import { findWrittenByContainers, type StackParts } from './written-by-containers.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'stagely-writers-'))
  for (const folder of ['shop/data', 'releases/1', 'deploy'])
    await mkdir(join(root, folder), { recursive: true })
  await writeFile(join(root, 'shop/compose.yml'), '')
  await symlink('/', join(root, 'shop/data/up'))
  await symlink('compose.yml', join(root, 'shop/data/inside'))
  await symlink(join(root, 'shop/data'), join(root, 'shop/data/self'))
  await symlink(join(root, 'releases/1'), join(root, 'current'))
  await symlink('/', join(root, 'shop/mine'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const find = (
  parts: Partial<StackParts>,
  mounts: readonly (Partial<WritableMount> & { source: string })[] = [],
) => {
  const absolute = (path: string): string => (path.startsWith('/') ? path : join(root, path))
  const { directory = 'shop', steering = ['shop/compose.yml'], used = [], allowed = [] } = parts
  return findWrittenByContainers(
    {
      directory: absolute(directory),
      steering: steering.map(absolute),
      used: used.map((mount) => ({ ...mount, source: absolute(mount.source) })),
      allowed: allowed.map(absolute),
    },
    mounts.map((m) => ({
      container: 'app-1',
      project: 'shop',
      directory: absolute('shop'),
      ...m,
      source: absolute(m.source),
    })),
  )
}
const writes = (source: string) => ({ service: 'app', source, writes: true })
const mounts = (source: string) => ({ service: 'b', source, writes: false })

describe('the files of a stack', () => {
  it.each<[string, Parameters<typeof find>]>([
    ['a container writes their folder', [{}, [{ source: 'shop' }]]],
    ['a container writes a folder above', [{}, [{ source: '/' }]]],
    ['a service of the stack itself would', [{ used: [writes('shop')] }]],
    ['a container writes a Compose file alone', [{}, [{ source: 'shop/compose.yml' }]]],
    ['a container writes what the stack’s folder links to', [{ directory: 'current', steering: [] }, [{ source: 'releases' }]]], // prettier-ignore
    ['a container could turn the link to the stack’s folder', [{ directory: 'current', steering: [] }, [{ source: '' }]]], // prettier-ignore
    ['a container writes the folder of an included file', [{ steering: ['deploy/more.yml'] }, [{ source: 'deploy' }]]], // prettier-ignore
  ])('are refused where %s', async (_what, [parts, scene]) => {
    expect(await find(parts, scene)).toMatchObject({ reason: 'WritableByContainer' })
  })

  it.each<[string, Parameters<typeof find>]>([
    ['containers write a folder beside them', [{ used: [writes('shop/data')] }, [{ source: 'shop/data' }]]], // prettier-ignore
    ['services only read their folder', [{ used: [mounts('shop')] }]],
    ['the stagelet says so', [{ allowed: ['shop'], used: [writes('shop')] }]],
    ['the stagelet says so of the link to their folder', [{ directory: 'current', steering: [], allowed: ['current'] }, [{ source: '' }]]], // prettier-ignore
  ])('are taken where %s', async (_what, [parts, scene]) => {
    expect(await find(parts, scene)).toBeUndefined()
  })

  it('are refused with all that is wrong, the remedies, and no name of another stack’s container', async () => {
    const fault = await find({ steering: ['deploy/more.yml', 'shop/compose.yml'] }, [
      { source: 'shop' },
      { source: 'deploy', directory: '/srv/theirs', container: 'theirs-1' },
    ])
    expect(fault?.message.replaceAll(root, '')).toBe(
      'container app-1 may write /shop; /deploy/more.yml lies in /deploy, which a container of another stack may write. Code in that container could have this stack mount the whole machine: mount the folder read-only, or one below it without Compose files, or keep the Compose files elsewhere. Where that code may be root on this machine, say so in the stagelet: spec.compose.writableFolders: [/deploy, /shop]',
    )
  })
})

describe('a mount', () => {
  const up = mounts('shop/data/up')
  it('is refused where it leads out by a link that a container or service may have made', async () => {
    const fault = await find({ used: [writes('shop/data'), up] })
    expect(fault?.message.replaceAll(root, '')).toMatch(
      /^service b uses \/shop\/data\/up, which leads to \/ by a link in \/shop\/data, and service app may write that\./,
    )
    expect(await find({ used: [up] }, [{ source: 'shop/data' }])).toEqual(expect.anything())
    expect(await find({ used: [up], allowed: ['shop'] }, [{ source: 'shop/data' }])).toBeUndefined()
  })

  it('is taken where nobody writes the link, or it leads to what the container writes anyway', async () => {
    expect(await find({ used: [up] })).toBeUndefined()
    expect(await find({ used: [writes('shop/data'), mounts('shop/mine')] })).toBeUndefined()
    expect(await find({ used: [writes('shop/data'), mounts('shop/data/self')] })).toBeUndefined()
    expect(await find({ used: [writes('shop/data'), mounts('shop/data/new')] })).toBeUndefined()
    expect(await find({ used: [writes('shop/data'), mounts('shop/data/inside')] })).toBeUndefined()
  })
})
