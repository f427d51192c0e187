import { expect, it } from 'vitest'
import { diskFault } from './disk.ts'

const free = (bytes: number) => () => Promise.resolve({ bavail: bytes / 4096, bsize: 4096 })

it('tells of a disk that takes no more writes, and of no other', async () => {
  expect(await diskFault('/data', free(2 ** 30))).toBeUndefined()
  expect(await diskFault('/data', free(64 * 1024))).toBe(
    'the disk of /data is full (64 KiB left): writes fail',
  )
  expect(await diskFault('/no/such/folder')).toBeUndefined()
})
