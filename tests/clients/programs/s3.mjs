// The AWS SDK for JavaScript v3 as it is, in the environment that Remit gave: puts the pattern, reads it back.
//
//   node s3.mjs buffer|stream|unsigned|multipart SIZE BUCKET KEY MODULES PATTERN
//
// PATTERN is a file with one period of the pattern.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'

const [form, sizeText, Bucket, Key, modules, patternFile] = process.argv.slice(2)
const require = createRequire(modules + '/')
const { S3Client, PutObjectCommand, GetObjectCommand } = require('@aws-sdk/client-s3')
const { Upload } = require('@aws-sdk/lib-storage')

const size = Number(sizeText)
const period = readFileSync(patternFile)

function * pieces () {
  for (let at = 0; at < size;) {
    const from = at % period.length
    const count = Math.min(size - at, period.length - from)
    yield period.subarray(from, from + count)
    at += count
  }
}

const hash = createHash('sha256')
for (const piece of pieces()) hash.update(piece)
const expected = hash.digest('hex')

const client = new S3Client({
  maxAttempts: 1,
  ...(form === 'unsigned' ? { requestChecksumCalculation: 'WHEN_REQUIRED' } : {})
})
let started = Date.now()
if (form === 'buffer') {
  await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.concat([...pieces()]) }))
} else if (form === 'multipart') {
  await new Upload({ client, params: { Bucket, Key, Body: Readable.from(pieces(), { objectMode: false }) }, partSize: 16 << 20, queueSize: 2 }).done()
} else {
  await client.send(new PutObjectCommand({ Bucket, Key, Body: Readable.from(pieces(), { objectMode: false }), ContentLength: size }))
}
const up = (Date.now() - started) / 1000
started = Date.now()
const got = createHash('sha256')
let length = 0
for await (const piece of (await client.send(new GetObjectCommand({ Bucket, Key }))).Body) {
  got.update(piece)
  length += piece.length
}
console.log(JSON.stringify({ up_seconds: up, down_seconds: (Date.now() - started) / 1000, length, same: got.digest('hex') === expected }))
