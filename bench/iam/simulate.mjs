// Decides the workload with the published package @cloud-copilot/iam-simulate, by its two functions: runSimulation
// validates request and documents in each call; runUnsafeSimulation leaves that out. Neither takes a session policy,
// so that the limits here are boundary and SCP; the answer of the first request does not change.
import { readFileSync } from 'node:fs'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

async function measure(label, name, rounds, decide) {
  for (let i = 0; i < rounds; i++) await decide()
  const times = []
  for (let k = 0; k < 5; k++) {
    const before = process.cpuUsage()
    for (let i = 0; i < rounds / 5; i++) await decide()
    const used = process.cpuUsage(before)
    times.push(((used.user + used.system) * 1000) / (rounds / 5))
  }
  times.sort((a, b) => a - b)
  console.log(`${label}\t${name}\t${times[2].toFixed(0)}`)
}

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
  const unchecked = await runUnsafeSimulation(simulation, {})
  if ((unchecked === 'Allowed') !== request.allowed) throw new Error(`${name}, unchecked: ${unchecked}`)
  await measure('iam-simulate', name, w.identity.length > 50 ? 60 : 600, () => runSimulation(simulation, {}))
  await measure('iam-simulate-unchecked', name, w.identity.length > 50 ? 600 : 6000, () => runUnsafeSimulation(simulation, {}))
}
