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
  checkServer(config)
  return config
}

export const checkServer = (config: KubeConfig): void => {
  const server = config.getCurrentCluster()?.server
  // Where it finds nothing, client-node makes one up.
  if (server === undefined || server === 'http://localhost:8080')
    throw new ConfigError([
      '--kubernetes: there is no cluster to follow: set KUBECONFIG to a kubeconfig with a current context, or run in a pod with a service account',
    ])
  // Of the variables that every pod gets client-node takes what it finds.
  if (!URL.canParse(server) || new URL(server).hostname === 'undefined')
    throw new ConfigError([
      `--kubernetes: "${server}" is no address of a cluster: in a pod KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set; else correct the cluster of the kubeconfig`,
    ])
}
