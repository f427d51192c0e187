// The YAML package for what loads it late: a file of ours keeps its names in the bundle, where a package in the older format
// that is imported late has nothing but a default.
export { parseAllDocuments, stringify } from 'yaml'
