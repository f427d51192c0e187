// The CRDs lie at the top of the repository; the chart has a copy. What `helm package` makes has them too, and a chart that
// lost them says so.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crdKinds } from '../../../src/kinds/index.ts'
import { chartDir, helm } from '../../support/kube/helm.ts'

let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'stagely-chart-package-'))
})
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

const crdsOf = async (chart: string): Promise<number> => {
  const { code, stdout, stderr } = await helm('template', 'stagely', chart)
  expect(code, stderr).toBe(0)
  return stdout.match(/^kind: CustomResourceDefinition$/gm)?.length ?? 0
}

test('the chart has the CRDs of all kinds, from a clone and from its package', async () => {
  expect(await crdsOf(chartDir)).toBe(crdKinds.length)
  const { code, stderr } = await helm('package', chartDir, '--destination', scratch)
  expect(code, stderr).toBe(0)
  const packed = readdirSync(scratch).find((name) => name.endsWith('.tgz'))!
  expect(await crdsOf(join(scratch, packed))).toBe(crdKinds.length)
})

test('a chart whose CRDs were left behind is refused, and says where they are', async () => {
  const copy = join(scratch, 'copy')
  const isCrds = (path: string): boolean => path.endsWith('files/crds')
  cpSync(chartDir, copy, { recursive: true, filter: (path) => !isCrds(path) })
  const { code, stderr } = await helm('template', 'stagely', copy)
  expect(code).not.toBe(0)
  expect(stderr).toContain('files/crds of the chart is empty')
})
