import { expect, it } from 'vitest'
import { writePrivateFiles } from './private-files.ts'

it('no file secret goes to a disk: without a folder in memory it is refused, by name', async () => {
  const files = [{ variable: 'CERT_FILE', key: 'CERT', value: Buffer.from('canary') }]
  // On a file system, and not in memory.
  const folders = ['/proc', '/nowhere']
  await expect(writePrivateFiles(files, folders)).rejects.toThrow(
    'file secrets (CERT) need a folder in memory, and there is none among /proc, /nowhere: leave them out with --without-files',
  )
})

it('without file secrets no folder is asked for', async () => {
  expect((await writePrivateFiles([], [])).paths).toEqual([])
})
