// Chooses the cluster: the one in which this pod runs, or the one that a kubeconfig names.
import { KubeConfig } from '@kubernetes/client-node'
import { messageOf } from '../../src/kernel/errors.ts'
import { ConfigError } from '../config-error.ts'

/** Searched as by every Kubernetes client: KUBECONFIG, ~/.kube/config, then the pod's service account. */
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
  // client-node's default when it finds no configuration.
  if (server === undefined || server === 'http://localhost:8080')
    throw new ConfigError([
      '--kubernetes: there is no cluster to follow: set KUBECONFIG to a kubeconfig with a current context, or run in a pod with a service account',
    ])
  // client-node uses a pod's variables even when one of them is missing.
  if (!URL.canParse(server) || new URL(server).hostname === 'undefined')
    throw new ConfigError([
      `--kubernetes: "${server}" is no address of a cluster: in a pod KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set; else correct the cluster of the kubeconfig`,
    ])
}
