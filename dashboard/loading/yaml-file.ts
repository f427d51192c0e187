// What reads YAML: a library that comes when it is needed. One file, however many pages want it.
import { later } from './later.ts'

export const yamlFile = later(() => import('../../src/formats/yaml-secrets.ts'))
