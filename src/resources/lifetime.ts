// How long what is meant to go may live, as text. It knows no schema, so that the command loads none.

/** A length of at least 10 minutes: `900s`, `30m`, `72h` or `14d`. */
export const lifetimePattern = /^(([6-9]\d{2}|[1-9]\d{3,4})s|[1-9]\d{1,4}m|[1-9]\d{0,4}[hd])$/

export const isLifetime = (text: string): boolean => lifetimePattern.test(text)
