// Lines of a .env file that steer Compose, and are no secret of a service: its own settings, images, ports. Pure.

const ofImage = /(^|_)(TAG|IMAGE|VERSION)$/
const ofPort = /(^|_)PORTS?$/
const port = /^[\d.:,-]{1,40}$/

/** `text` is undefined where the value is no text. */
export const steersCompose = (key: string, text: string | undefined): boolean =>
  key.startsWith('COMPOSE_') ||
  ofImage.test(key) ||
  (ofPort.test(key) && text !== undefined && port.test(text))
