import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, expect, test, vi } from 'vitest'
import { checkServer } from './kube-config.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const inPod = (host: string | undefined, port: string | undefined): KubeConfig => {
  vi.stubEnv('KUBERNETES_SERVICE_HOST', host)
  vi.stubEnv('KUBERNETES_SERVICE_PORT', port)
  const config = new KubeConfig()
  config.loadFromCluster()
  return config
}

test('a pod knows its cluster by two variables', () => {
  for (const host of ['10.96.0.1', 'fd00::1']) checkServer(inPod(host, '443'))
})

test.each([
  [undefined, undefined],
  [undefined, '443'],
  ['10.96.0.1', undefined],
  ['', '443'],
])('a pod with the address %s:%s is told what it lacks', (host, port) => {
  expect(() => {
    checkServer(inPod(host, port))
  }).toThrow(/--kubernetes: .*KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT/)
})
