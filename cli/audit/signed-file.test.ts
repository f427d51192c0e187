import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { verifyReport } from './signed-file.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-signed-'))
})
afterAll(() => rm(dir, { recursive: true }))

const verify = async (text: string): Promise<void> => {
  const file = join(dir, 'file')
  await writeFile(file, text)
  await verifyReport(file, {})
}
const csvOf = (proof: string): string =>
  `"row"\n"proof","base64url:${Buffer.from(proof).toString('base64url')}"\n`

const head = { type: 'head', seq: 0, hash: '', public_key: '' }
const receipt = {
  team: 'default',
  project: 'shop',
  revision: 1,
  closed_at: '',
  written: 0,
  deleted: 0,
  keys: [],
  by: [],
  stagelets: [],
  issued_at: '',
  head,
}

it.each([
  ['nothing', ''],
  ['JSON of something else', '{"kind": "Project"}'],
  ['a CSV whose proof is cut off', csvOf('{"access": {"te')],
])('says of a file with %s that it holds no report, and how to make one', async (_, text) => {
  await expect(verify(text)).rejects.toThrow(
    /holds no signed report: make one with "stagely report/,
  )
})

it('takes no receipt that is put into a CSV for the rows of a report on access', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const text = csvOf(JSON.stringify({ receipt, signature: '', public_key: '' }))
  await expect(verify(text)).rejects.toMatchObject({ name: 'Exit', exitCode: 1 })
  expect(write.mock.calls.flat().join('')).toContain('its rows are not those that were signed')
  write.mockRestore()
})
