// Asks the engine by its socket: what a test looks at twenty times a second is no process each time.
import { request } from 'node:http'

const socketPath = (): string =>
  (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')

/** What a GET answers; undefined where there is no such thing. */
export const askEngine = <T>(path: string): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketPath(), path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode === 200) resolve(JSON.parse(text) as T)
        else if (statusCode === 404) resolve(undefined)
        else reject(new Error(`GET ${path}: ${statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })
