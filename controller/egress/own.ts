// Where this controller and its database listen: nobody lets the controller call itself.
import { networkInterfaces } from 'node:os'
import type { Destination } from './rules.ts'

const defaultPort = 5432

const databaseAt = (databaseUrl: string | undefined): Destination[] => {
  if (databaseUrl === undefined || !URL.canParse(databaseUrl)) return []
  const { hostname, port } = new URL(databaseUrl)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return host === '' ? [] : [{ host, port: port === '' ? defaultPort : Number(port) }]
}

export const ownDestinations = (port: number, databaseUrl: string | undefined): Destination[] => [
  ...Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => ({ host: address, port })),
  ...databaseAt(databaseUrl),
]
