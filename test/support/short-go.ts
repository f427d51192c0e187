// For the environment of kubectl, helm, docker and Compose. They run for a moment: to collect garbage, and to
// share work between threads, costs them a quarter to a third of their CPU.
export const shortGo = { GOGC: 'off', GOMEMLIMIT: '512MiB', GOMAXPROCS: '1' }
