import { expect, it } from 'vitest'
import { commonFolders, liesBelow, resolvedPath } from './folders.ts'

it('a path lies below a folder by whole names, whatever dots it has', () => {
  expect(resolvedPath('../a//./b/', '/srv/x')).toBe('/srv/a/b')
  expect(resolvedPath('/../..')).toBe('/')
  const table = [
    ['/srv/previews', '/srv/previews', true],
    ['/srv/previews/', '/srv/previews', true],
    ['/srv/previews/pr-1', '/srv/previews', true],
    ['/srv/previews-of-others', '/srv/previews', false],
    ['/srv/previews/../shop', '/srv/previews', false],
    ['/srv', '/srv/previews', false],
    ['/anything', '/', true],
  ] as const
  for (const [path, folder, lies] of table) expect(liesBelow(path, folder), path).toBe(lies)
})

it('folders of a token of a narrowed member are what lies below both lists', () => {
  expect(commonFolders(['/srv'], ['/srv/a', '/opt'])).toEqual(['/srv/a'])
  expect(commonFolders(['/srv/a'], ['/srv/a'])).toEqual(['/srv/a'])
  expect(commonFolders(['/srv/a'], ['/srv/b'])).toEqual([])
})
