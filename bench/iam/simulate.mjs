// Decides the workload with the published package @cloud-copilot/iam-simulate. Its runSimulation takes no
// session policy, so that the limits here are boundary and SCP; the answer of the first request does not change.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const [folder, ...names] = process.argv.slice(2)
for (const name of names) {
  const w = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))
  const named = (documents) => documents.map((policy, i) => ({ name: `p${i}`, policy }))
  const request = w.requests[0]
  const simulation = {
    request: {
      action: request.action,
      principal: w.principal,
      resource: { resource: request.resource, accountId: w.account },
      contextVariables: w.context,
    },
    identityPolicies: named(w.identity),
    permissionBoundaryPolicies: w.boundary.length ? named(w.boundary) : undefined,
    serviceControlPolicies: w.scp.length ? [{ orgIdentifier: 'r-1', policies: named(w.scp) }] : [],
    resourceControlPolicies: [],
  }
  const first = await runSimulation(simulation, {})
  if ((first.overallResult === 'Allowed') !== request.allowed) throw new Error(`${name}: ${JSON.stringify(first).slice(0, 500)}`)
  const rounds = w.identity.length > 1000 ? 3 : w.identity.length > 50 ? 60 : 600
  for (let i = 0; i < rounds / 3; i++) await runSimulation(simulation, {})
  const before = process.cpuUsage()
  for (let i = 0; i < rounds; i++) await runSimulation(simulation, {})
  const used = process.cpuUsage(before)
  console.log(`iam-simulate\t${name}\t${(((used.user + used.system) * 1000) / rounds).toFixed(0)}`)
}
