package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"
)

type protocolSpec struct {
	name    string
	version uint
	length  uint64
	sink    bool
}

func (p protocolSpec) String() string { return fmt.Sprintf("%s/%d", p.name, p.version) }

func parseProtocols(list, sink string) ([]protocolSpec, error) {
	sinks := strings.Split(sink, ",")
	var specs []protocolSpec
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		capability, length, ok1 := strings.Cut(item, ":")
		name, version, ok2 := strings.Cut(capability, "/")
		v, err1 := strconv.ParseUint(version, 10, 32)
		n, err2 := strconv.ParseUint(length, 10, 32)
		if !ok1 || !ok2 || err1 != nil || err2 != nil {
			return nil, fmt.Errorf("not name/version:length: %q", item)
		}
		silent := sink == "all" || slices.Contains(sinks, capability)
		specs = append(specs, protocolSpec{name, uint(v), n, silent})
	}
	return specs, nil
}

// host knows the running sessions, one for each peer and shared protocol.
type host struct {
	events  *eventLog
	verbose bool

	mu       sync.Mutex
	sessions []*session
}

func (h *host) protocols(specs []protocolSpec) []p2p.Protocol {
	var list []p2p.Protocol
	for _, spec := range specs {
		list = append(list, p2p.Protocol{
			Name:     spec.name,
			Version:  spec.version,
			Length:   spec.length,
			Run:      func(peer *p2p.Peer, rw p2p.MsgReadWriter) error { return h.run(spec, peer, rw) },
			NodeInfo: func() any { return fields{"version": spec.version, "length": spec.length} },
			PeerInfo: func(id enode.ID) any { return h.peerInfo(spec, id) },
		})
	}
	return list
}

// peerInfo is nil, which geth shows as "handshake", until a message has come.
func (h *host) peerInfo(spec protocolSpec, id enode.ID) any {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if s.spec == spec && s.peer.ID() == id && s.received.messages > 0 {
			return fields{"version": spec.version, "received": s.received.messages}
		}
	}
	return nil
}

func (h *host) run(spec protocolSpec, peer *p2p.Peer, rw p2p.MsgReadWriter) error {
	s := &session{host: h, spec: spec, peer: peer, rw: rw, end: make(chan error, 1), queue: newQueue()}
	h.mu.Lock()
	h.sessions = append(h.sessions, s)
	h.mu.Unlock()
	s.emit(fields{
		"event": "run", "name": peer.Fullname(), "inbound": peer.Inbound(),
		"pubkey": hex.EncodeToString(crypto.FromECDSAPub(peer.Node().Pubkey())[1:]),
	})

	go s.readLoop()
	written := make(chan struct{})
	go func() {
		s.writeLoop()
		close(written)
	}()
	err := <-s.end

	s.queue.close()
	// A message may have reached the remote before WriteMsg returns here. Once the link
	// has ended, WriteMsg does not block; otherwise it may, until Run has returned.
	if err == io.EOF {
		<-written
	}
	h.mu.Lock()
	h.sessions = slices.DeleteFunc(h.sessions, func(other *session) bool { return other == s })
	received, sent := s.received, s.sent
	h.mu.Unlock()
	s.emit(fields{
		"event": "run-end", "error": errorText(err),
		"received": received.messages, "received_bytes": received.bytes,
		"sent": sent.messages, "sent_bytes": sent.bytes,
	})
	return err
}

// each calls f for every session of a protocol.
func (h *host) each(protocol string, f func(*session)) error {
	h.mu.Lock()
	var matching []*session
	for _, s := range h.sessions {
		if s.spec.String() == protocol {
			matching = append(matching, s)
		}
	}
	h.mu.Unlock()
	if len(matching) == 0 {
		return fmt.Errorf("nobody runs %q", protocol)
	}
	for _, s := range matching {
		f(s)
	}
	return nil
}

type counter struct{ messages, bytes uint64 }

// session is one run of a protocol with one peer.
type session struct {
	host  *host
	spec  protocolSpec
	peer  *p2p.Peer
	rw    p2p.MsgReadWriter
	end   chan error // what Run returns; the first one counts
	queue *queue

	received, sent counter // under host.mu
}

func (s *session) emit(f fields) {
	f["protocol"], f["peer"] = s.spec.String(), s.peer.ID().String()
	s.host.events.emit(f)
}

func (s *session) count(c *counter, size int) {
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	c.messages++
	c.bytes += uint64(size)
}

func (s *session) finish(err error) {
	select {
	case s.end <- err:
	default:
	}
}

func (s *session) execute(c command) {
	switch c.Cmd {
	case "send":
		count := max(c.Count, 1)
		for i := range count {
			s.queue.push(outgoing{code: c.Code, payload: payload(c.Kind, c.Size, c.Seed+uint32(i))})
		}
		s.queue.push(outgoing{sent: count})
	case "return":
		s.finish(nil)
	case "fail":
		s.finish(errors.New("failed as commanded"))
	case "fail-reason":
		s.finish(p2p.DiscReason(c.Reason))
	case "fail-decode":
		var list []uint64
		s.finish(p2p.Msg{Size: 1, Payload: bytes.NewReader([]byte{0x80})}.Decode(&list))
	case "fail-code":
		s.finish(s.rw.WriteMsg(p2p.Msg{Code: s.spec.length, Payload: bytes.NewReader(nil)}))
	}
}

func (s *session) readLoop() {
	for {
		msg, err := s.rw.ReadMsg()
		if err != nil {
			s.finish(err)
			return
		}
		data, err := io.ReadAll(msg.Payload)
		if err != nil {
			s.finish(err)
			return
		}
		s.count(&s.received, len(data))
		if s.host.verbose {
			sum := sha256.Sum256(data)
			s.emit(fields{"event": "message", "code": msg.Code, "size": len(data), "sha256": hex.EncodeToString(sum[:])})
		}
		if !s.spec.sink {
			s.queue.push(outgoing{code: msg.Code, payload: data})
		}
	}
}

// writeLoop has a goroutine of its own: were it one with readLoop, two ends
// that echo could each wait for the other to read.
func (s *session) writeLoop() {
	for {
		out, ok := s.queue.pop()
		if !ok {
			return
		}
		if out.sent > 0 {
			s.emit(fields{"event": "sent", "count": out.sent})
			continue
		}
		size := len(out.payload)
		err := s.rw.WriteMsg(p2p.Msg{Code: out.code, Size: uint32(size), Payload: bytes.NewReader(out.payload)})
		if err != nil {
			s.emit(fields{"event": "send-failed", "code": out.code, "size": size, "error": err.Error()})
			continue
		}
		s.count(&s.sent, size)
	}
}

// outgoing is a message, or the mark behind the last message of a "send".
type outgoing struct {
	code    uint64
	payload []byte
	sent    int
}

// queue is unbounded, so that reading never waits for writing.
type queue struct {
	mu     sync.Mutex
	filled *sync.Cond
	items  []outgoing
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.filled = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(item outgoing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, item)
	q.filled.Signal()
}

func (q *queue) pop() (outgoing, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.filled.Wait()
	}
	if q.closed {
		return outgoing{}, false
	}
	item := q.items[0]
	q.items[0] = outgoing{}
	q.items = q.items[1:]
	return item, true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Signal()
}

// payload makes the content of a message, the same in every peer program:
// "zero" is zeros, "text" repeats a sentence, "random" does not compress and is
// 32-bit xorshift (13, 17, 5) in little-endian words, starting behind the state
// 0x9e3779b9 + seed. Message i of a "send" has seed + i.
func payload(kind string, size int, seed uint32) []byte {
	data := make([]byte, size)
	switch kind {
	case "text":
		const sentence = "the quick brown fox jumps over the lazy dog. "
		for i := range data {
			data[i] = sentence[i%len(sentence)]
		}
	case "random":
		x := 0x9e3779b9 + seed
		if x == 0 {
			x = 1
		}
		var word [4]byte
		for i := 0; i < size; i += 4 {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			binary.LittleEndian.PutUint32(word[:], x)
			copy(data[i:], word[:])
		}
	}
	return data
}
