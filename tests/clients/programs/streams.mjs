// Clients of the AWS SDK for JavaScript v3 whose handler speaks HTTP/2, with prior knowledge at a plain endpoint.
//
//   node streams.mjs retrieve|nova|transcribe ARGUMENT MODULES
//
// retrieve: an ordinary operation. nova, transcribe: event streams both ways; each message is sent after the answer to the one
// before it has come.

import { createRequire } from 'node:module'

const [form, argument, modules] = process.argv.slice(2)
const require = createRequire(modules + '/')
const wait = () => { let go; const p = new Promise((resolve) => { go = resolve }); return { p, go } }
const result = { step: form, ok: false, messages: 0 }

// Sends `count` messages made by `make`, each after the last one was answered.
function conversation (count, make) {
  const answered = Array.from({ length: count }, wait)
  return {
    async * input () { for (let i = 0; i < count; i++) { yield make(i); await answered[i].p } },
    seen () { answered[result.messages]?.go(); result.messages++ }
  }
}

try {
  if (form === 'retrieve') {
    const { BedrockAgentRuntimeClient, RetrieveCommand } = require('@aws-sdk/client-bedrock-agent-runtime')
    const client = new BedrockAgentRuntimeClient({ maxAttempts: 1 })
    const ask = (text) => client.send(new RetrieveCommand({ knowledgeBaseId: argument, retrievalQuery: { text } }))
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask('question ' + i)))
    result.ok = true
  } else if (form === 'nova') {
    const { BedrockRuntimeClient, InvokeModelWithBidirectionalStreamCommand } = require('@aws-sdk/client-bedrock-runtime')
    const client = new BedrockRuntimeClient({ maxAttempts: 1 })
    const talk = conversation(5, (i) => ({ chunk: { bytes: Buffer.from(JSON.stringify({ message: i })) } }))
    const answer = await client.send(new InvokeModelWithBidirectionalStreamCommand({ modelId: argument, body: talk.input() }))
    const texts = []
    for await (const event of answer.body) { texts.push(Buffer.from(event.chunk.bytes).toString()); talk.seen() }
    result.ok = texts.every((text, i) => JSON.parse(text).message === i) && texts.length === 5
  } else {
    const { TranscribeStreamingClient, StartStreamTranscriptionCommand } = require('@aws-sdk/client-transcribe-streaming')
    const client = new TranscribeStreamingClient({ maxAttempts: 1 })
    const talk = conversation(5, (i) => ({ AudioEvent: { AudioChunk: Buffer.alloc(3200, i) } }))
    const answer = await client.send(new StartStreamTranscriptionCommand({
      LanguageCode: argument, MediaEncoding: 'pcm', MediaSampleRateHertz: 16000, AudioStream: talk.input()
    }))
    for await (const event of answer.TranscriptResultStream) { void event; talk.seen() }
    result.ok = result.messages === 5
  }
} catch (error) {
  result.error = `${error.name}: ${error.message}`
}
console.log(JSON.stringify(result))
process.exit(0)
