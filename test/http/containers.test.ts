import { containerSuite } from './container-suite.js'
import { containers } from './containers.js'

for (const [name, container] of containers) containerSuite(name, container)
