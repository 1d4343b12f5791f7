import { openCluster, realEnvironment, type Cluster } from '../../src/cluster.js'
import { resolveConfig } from '../../src/config/config.js'
import { loadConfigFile } from '../../src/config/file.js'
import { backendOrders, History } from './mesh-orders.js'
import type { Handlers, ServerSpec } from './orders.js'

/** More than any question fills in. */
const LIMITS = { sessions: 2_000_000 }

/** Of the one node of this process. */
const history = new History()

/**
 * The cluster that the spec asks for: of the variant's own configuration, or of a user's file; that says nothing of ports
 * here, since several nodes of it run on this machine.
 */
export async function openMesh({ node, config, configFile, listen, peers = [] }: ServerSpec): Promise<Cluster> {
  const own = configFile === undefined ? { log: history.log, limits: LIMITS, ...config } : await loadConfigFile(configFile)
  const input: object = { ...Object(own), admin: undefined }
  const place = { node, peers: peers.join(','), ...(listen === undefined ? {} : { listen, advertise: listen }) }
  const session = (input as { readonly session?: object }).session
  return await openCluster(resolveConfig(input, realEnvironment(), place, configFile), session)
}

export function meshOrders({ backend }: Cluster): Handlers {
  return backendOrders(backend, history)
}
