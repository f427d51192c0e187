// Which cluster: the one that this pod runs in, or the one that a kubeconfig names.
import { KubeConfig } from '@kubernetes/client-node'
import { messageOf } from '../../src/kernel/errors.ts'
import { ConfigError } from '../config.ts'

/** As every client of Kubernetes looks for it: KUBECONFIG, ~/.kube/config, then the pod's own account. */
export const loadKubeConfig = (): KubeConfig => {
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch (error) {
    throw new ConfigError([`--kubernetes: the kubeconfig cannot be read: ${messageOf(error)}`])
  }
  const server = config.getCurrentCluster()?.server
  // Where it finds nothing, client-node makes one up.
  if (server === undefined || server === 'http://localhost:8080')
    throw new ConfigError([
      '--kubernetes: there is no cluster to follow: set KUBECONFIG to a kubeconfig with a current context, or run in a pod with a service account',
    ])
  return config
}
