// The controller as the commands see it: objects by the Kubernetes-style API, everything else by REST, one connection.
import { createApi, type KubeApi } from './api.ts'
import { findConnection, type ConnectFlags } from './connect.ts'
import { createRest, type RestClient } from './rest.ts'

export interface Client {
  readonly api: KubeApi
  readonly rest: RestClient
}

export const openClient = async (flags: ConnectFlags): Promise<Client> => {
  const connection = await findConnection(flags)
  return { api: createApi(connection), rest: createRest(connection) }
}
