// The remote end of the interop tests on @ethereumjs/devp2p: its RLPx server
// with protocols that echo, driven by lines of JSON.
//
// Flags
//   --protocols LIST  what is offered, "name/version:length,..." (default as below)
//   --sink LIST       protocols that count messages but do not echo them: "name/version,..." or "all"
//   --max-peers N     (default 10; 0: "too many peers", which this library sends after both Hellos)
//   --name NAME       client name in Hello
//   --key HEX         node key, 32 bytes (default: a new one)
//   --no-listen       do not listen; "listening" then has port null
//   --verbose         emit "message" events
//
// Commands, one JSON object a line on stdin (end of input is the same as "stop")
//   {"cmd":"dial","host":"127.0.0.1","port":P,"id":"128 hex"}  one attempt
//   {"cmd":"send","protocol":"bulk/1","code":0,"size":10,"kind":"zero","count":1,"seed":0}
//                     count messages (see payloadOf for the kinds); answered by "sent"
//   {"cmd":"send-id","id":N,"size":0,"kind":"zero"}  a message with this absolute id, whether it is shared or not
//   {"cmd":"disconnect","reason":N}  every peer: Disconnect with this reason (default 0)
//   {"cmd":"return"}                 every peer: RLPx.disconnect, which is reason 8
//   {"cmd":"info"}                   answered by "info"
//   {"cmd":"stop"}                   RLPx.destroy (reason 8 to everybody), "stopped", exit status 0
//
// Events, one JSON object a line on stdout; a peer is its 128 hex node id
//   {"event":"listening","enode":..,"port":N,"id":"128 hex"}       always the first line
//   {"event":"add","peer":id,"name":..,"version":N,"caps":["echo/2"],"remote":"address:port"}
//   {"event":"run","protocol":"echo/2","peer":id,"offset":N,"length":N}   for each shared one, after "add"
//   {"event":"drop","peer":id,"reason":N or null,"we":true, false or null,"received":{"echo/2":N}}
//           we: who sent Disconnect; both null: the connection just ended
//   {"event":"refused","peer":id or null,"reason":..,"we":..}      the same for a peer that was never added
//   {"event":"message","protocol":..,"peer":id,"code":N,"size":N,"sha256":hex}  with --verbose
//   {"event":"sent","protocol":..,"peer":id,"count":N}
//   {"event":"send-failed","protocol":..,"peer":id,"code":N,"size":N,"error":text}
//   {"event":"peer-error","peer":id or null,"error":text}  what the library did not like about a peer
//   {"event":"info","node":{..},"peers":[..]}
//   {"event":"error","cmd":..,"error":text}                a command that could not be done
//   {"event":"stopped"}
//
// What this library does in its own way, for those who write expectations: its
// Disconnect is a single byte and never compressed; it waits up to 2 s after it;
// Ping goes out every 15 s, and 10 s without Pong end the link with reason 11;
// message ids above 127 cannot be read; nothing limits the time of a handshake;
// and the node id of somebody who dials it is taken from Hello unchecked.

import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import { Peer, RLPx } from '@ethereumjs/devp2p'
import * as snappy from 'snappyjs'

// Longer than the 2 s that the library waits before it ends a connection after Disconnect.
const STOP_GRACE_MS = 3000

const { values: flags } = parseArgs({
  options: {
    protocols: { type: 'string', default: 'ping/1:8,echo/1:16,echo/2:17,bulk/1:4,idle/1:0' },
    sink: { type: 'string', default: '' },
    'max-peers': { type: 'string', default: '10' },
    name: { type: 'string', default: 'ethereumjs-peer/v10.0.0' },
    key: { type: 'string' },
    'no-listen': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})

const emit = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')
const hex = (bytes) => (bytes ? Buffer.from(bytes).toString('hex') : null)
const bytes = (text) => Uint8Array.from(Buffer.from(text, 'hex'))

// The content of a message, the same in every peer program: "zero" is zeros,
// "text" repeats a sentence, "random" does not compress and is 32-bit xorshift
// (13, 17, 5) in little-endian words, starting behind the state
// 0x9e3779b9 + seed. Message i of a "send" has seed + i.
function payloadOf(kind, size, seed) {
  const data = new Uint8Array(size)
  if (kind === 'text') {
    const sentence = Buffer.from('the quick brown fox jumps over the lazy dog. ')
    for (let i = 0; i < size; i++) data[i] = sentence[i % sentence.length]
  } else if (kind === 'random') {
    let x = (0x9e3779b9 + seed) | 0 || 1
    for (let i = 0; i < size; i++) {
      if (i % 4 === 0) {
        x ^= x << 13
        x ^= x >>> 17
        x ^= x << 5
      }
      data[i] = x >>> (8 * (i % 4))
    }
  }
  return data
}

// Compression is left to protocols by this library, though it decompresses for them.
function compressed(peer, data) {
  return peer.getHelloMessage()?.protocolVersion >= 5 ? snappy.compress(data) : data
}

// A protocol is a class, of which the library makes an instance for each peer.
// Its own base class is not exported, and would drop a peer that sends no Status
// message of the eth protocol within 5 s; all it needs is what is here.
function echoProtocol(name, sink) {
  return class Echo {
    constructor(version, peer, send) {
      this.peer = peer
      this.send = send
      this.title = `${name}/${version}`
      this.received = 0
    }

    _handleMessage(code, data) {
      this.received++
      if (flags.verbose) {
        const sha256 = createHash('sha256').update(data).digest('hex')
        emit('message', { ...this.where(), code, size: data.length, sha256 })
      }
      if (!sink) this.write(code, data)
    }

    write(code, data) {
      try {
        this.send(code, compressed(this.peer, data))
      } catch (error) {
        emit('send-failed', { ...this.where(), code, size: data.length, error: error.message })
      }
    }

    where() {
      return { protocol: this.title, peer: hex(this.peer.getId()) }
    }
  }
}

function parseProtocols() {
  return flags.protocols.split(',').filter(Boolean).map((item) => {
    const [, name, version, length] = item.match(/^(.+)\/(\d+):(\d+)$/) ?? []
    if (name === undefined) throw new Error(`not name/version:length: ${item}`)
    const sink = flags.sink === 'all' || flags.sink.split(',').includes(`${name}/${version}`)
    return { name, version: +version, length: +length, constructor: echoProtocol(name, sink) }
  })
}

const capabilities = parseProtocols()
const rlpx = new RLPx(flags.key ? bytes(flags.key) : Uint8Array.from(randomBytes(32)), {
  capabilities,
  clientId: Uint8Array.from(Buffer.from(flags.name)),
  maxPeers: +flags['max-peers'],
})

// Connections that end before they are a peer are reported nowhere else.
const added = new WeakSet()
const onSocketClose = Peer.prototype._onSocketClose
Peer.prototype._onSocketClose = function () {
  onSocketClose.call(this)
  if (!added.has(this)) emit('refused', { peer: hex(this.getId()), ...ending(this) })
}
const ending = (peer) => ({ reason: peer._disconnectReason ?? null, we: peer._disconnectWe ?? null })

rlpx.events.on('peer:added', (peer) => {
  added.add(peer)
  const hello = peer.getHelloMessage()
  const id = hex(peer.getId())
  emit('add', {
    peer: id,
    name: hello.clientId,
    version: hello.protocolVersion,
    caps: hello.capabilities.map((c) => `${c.name}/${c.version}`),
    remote: `${peer._socket.remoteAddress}:${peer._socket.remotePort}`,
  })
  for (const { protocol, offset, length } of peer._protocols) {
    emit('run', { protocol: protocol.title, peer: id, offset, length })
  }
})
rlpx.events.on('peer:removed', (peer) => {
  if (!added.has(peer)) return
  const received = Object.fromEntries(peer.getProtocols().map((p) => [p.title, p.received]))
  emit('drop', { peer: hex(peer.getId()), ...ending(peer), received })
})
rlpx.events.on('peer:error', (peer, error) =>
  emit('peer-error', { peer: hex(peer.getId()), error: String(error?.message ?? error) }))
rlpx.events.on('error', (error) => emit('error', { cmd: 'listen', error: error.message }))

const commands = {
  dial: ({ host, port, id }) => rlpx.connect({ address: host, tcpPort: port, id: bytes(id) }),
  disconnect: ({ reason = 0 }) => rlpx.getPeers().forEach((peer) => peer.disconnect(reason)),
  return: () => rlpx.getPeers().forEach((peer) => rlpx.disconnect(peer.getId())),
  send: ({ protocol, code = 0, size = 0, kind, count = 1, seed = 0 }) => {
    const running = rlpx.getPeers().flatMap((peer) => peer.getProtocols()).filter((p) => p.title === protocol)
    if (running.length === 0) throw new Error(`nobody runs ${protocol}`)
    for (const p of running) {
      for (let i = 0; i < count; i++) p.write(code, payloadOf(kind, size, seed + i))
      emit('sent', { ...p.where(), count })
    }
  },
  'send-id': ({ id, size = 0, kind, seed = 0 }) =>
    rlpx.getPeers().forEach((peer) => peer._sendMessage(id, compressed(peer, payloadOf(kind, size, seed)))),
  info: () => {
    const node = { id: hex(rlpx.id), name: flags.name, protocols: capabilities.map((c) => `${c.name}/${c.version}`) }
    const peers = rlpx.getPeers().map((peer) => ({
      id: hex(peer.getId()),
      name: peer.getHelloMessage().clientId,
      protocols: Object.fromEntries(peer.getProtocols().map((p) => [p.title, p.received])),
    }))
    emit('info', { node, peers })
  },
}

async function execute(line) {
  let cmd
  try {
    const { cmd: name, ...args } = JSON.parse(line)
    cmd = name
    if (cmd === 'stop') return stop()
    if (!Object.hasOwn(commands, cmd)) throw new Error('unknown command')
    await commands[cmd](args)
  } catch (error) {
    emit('error', { cmd, error: error.message })
  }
}

let stopping = false
function stop() {
  if (stopping) return
  stopping = true
  rlpx.destroy()
  const deadline = Date.now() + STOP_GRACE_MS
  const timer = setInterval(() => {
    if (rlpx.getPeers().length > 0 && Date.now() < deadline) return
    clearInterval(timer)
    emit('stopped')
    process.exit(0)
  }, 10)
}

function ready(port) {
  const id = hex(rlpx.id)
  emit('listening', { enode: `enode://${id}@127.0.0.1:${port ?? 0}`, port, id })
  const input = createInterface({ input: process.stdin })
  input.on('line', execute)
  input.on('close', stop)
}

if (flags['no-listen']) {
  ready(null)
} else {
  rlpx.events.once('listening', () => ready(rlpx._server.address().port))
  rlpx.listen(0, '127.0.0.1')
}
