import { openCluster, realEnvironment, type Cluster } from '../../src/cluster.js'
import { resolveConfig } from '../../src/config/config.js'
import { loadConfigFile } from '../../src/config/file.js'
import { backendOrders, History } from './mesh-orders.js'
import type { Handlers, ServerSpec } from './orders.js'

/** Of the one node of this process. */
const history = new History()

/** The cluster that the spec asks for: of the variant's own configuration, or of a user's file. */
export async function openMesh({ node, config, configFile, listen, peers = [] }: ServerSpec): Promise<Cluster> {
  const input = configFile === undefined ? { log: history.log, ...config } : await loadConfigFile(configFile)
  const place = { node, peers: peers.join(','), ...(listen === undefined ? {} : { listen, advertise: listen }) }
  const session = (Object(input) as { session?: object }).session
  return await openCluster(resolveConfig(input, realEnvironment(), place, configFile), session)
}

export function meshOrders({ backend }: Cluster): Handlers {
  return backendOrders(backend, history)
}
