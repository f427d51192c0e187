// Signs of life of agents, in front of the rest of the server: thousands come in each second of a large
// fleet at rest, and each is one look into memory and one MAC. One of a stream that is at another replica
// is handed on there unread, as only that replica has the key.
import type { RequestListener } from 'node:http'
import { paths } from '../../../src/protocol/messages.ts'
import { parseSign, type Sign } from '../../../src/protocol/sign-of-life.ts'

/** The other replicas. */
export interface SignsElsewhere {
  /** Never waits. A sign that does not get there is lost; the next one comes soon. */
  hand(sign: Sign): void
}

export interface Signs {
  /** Answers signs of life, and leaves all else to `rest`. */
  inFrontOf(rest: RequestListener): RequestListener
}

interface SignsDeps {
  /** This replica. */
  readonly self: string
  /** False when no stream here has made it, or when it came before. */
  readonly heard: (sign: Sign) => boolean
  /** Absent: this controller is alone. */
  readonly elsewhere?: SignsElsewhere | undefined
}

export const createSigns = ({ self, heard, elsewhere }: SignsDeps): Signs => {
  const take = (header: string): boolean => {
    const sign = parseSign(header)
    if (sign === undefined) return false
    if (elsewhere === undefined || sign.replica === self) return heard(sign)
    elsewhere.hand(sign)
    return true
  }
  return {
    inFrontOf: (rest) => (request, response) => {
      if (request.url !== paths.sign || request.method !== 'POST') {
        rest(request, response)
        return
      }
      response.writeHead(take(request.headers.authorization ?? '') ? 204 : 401).end()
    },
  }
}
