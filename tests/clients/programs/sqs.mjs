// A queue by the AWS SDK for JavaScript v3, which talks to the host of the queue's URL: made, written to, read, found, removed.
//
//   node sqs.mjs NAME MODULES

import { createRequire } from 'node:module'

const [QueueName, modules] = process.argv.slice(2)
const require = createRequire(modules + '/')
const { SQSClient, CreateQueueCommand, GetQueueUrlCommand, ListQueuesCommand, SendMessageCommand, ReceiveMessageCommand, DeleteQueueCommand } = require('@aws-sdk/client-sqs')

const client = new SQSClient({ maxAttempts: 1 })
const hosts = new Set()
client.middlewareStack.add((next) => (args) => { hosts.add(`${args.request.hostname}:${args.request.port}`); return next(args) }, { step: 'finalizeRequest' })
const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName }))
const MessageBody = QueueUrl // a body that looks like a queue's URL stays as it is
await client.send(new SendMessageCommand({ QueueUrl, MessageBody }))
const got = await client.send(new ReceiveMessageCommand({ QueueUrl }))
const found = await client.send(new GetQueueUrlCommand({ QueueName }))
const listed = await client.send(new ListQueuesCommand({ QueueNamePrefix: QueueName }))
await client.send(new DeleteQueueCommand({ QueueUrl }))
console.log(JSON.stringify({ url: QueueUrl, hosts: [...hosts], body: got.Messages[0].Body, same: found.QueueUrl === QueueUrl && listed.QueueUrls[0] === QueueUrl }))
