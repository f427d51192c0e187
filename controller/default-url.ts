// The URL of a controller whose operator names none.
import { hostname } from 'node:os'
import { isWildcard } from './certificate.ts'
import type { Config } from './config.ts'

export const defaultUrl = ({ host, insecureHttp }: Config, port: number): string => {
  const name = isWildcard(host) ? hostname() : host.includes(':') ? `[${host}]` : host
  return `${insecureHttp ? 'http' : 'https'}://${name}:${port}`
}
