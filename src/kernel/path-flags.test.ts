import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { withWholePaths } from './path-flags.ts'

it('flags that are paths name the same place from each folder', () => {
  const argv = ['--data-dir', 'd', '--listen', 'here:1', '--manifests=../m=1', '--data-dir', '/d']
  expect(withWholePaths(argv, ['--data-dir', '--manifests'])).toEqual([
    ...['--data-dir', resolve('d'), '--listen', 'here:1', `--manifests=${resolve('../m=1')}`],
    ...['--data-dir', '/d'],
  ])
})

it('standard input and an empty text are no paths', () => {
  const argv = ['--join-file', '-', '--join-file', '', '--join-file=-', '--join-file']
  expect(withWholePaths(argv, ['--join-file'])).toEqual(argv)
})
