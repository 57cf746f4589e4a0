package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/p2p"
)

type fields map[string]any

// eventLog writes events to stdout, each line in one write.
type eventLog struct {
	mu   sync.Mutex
	live map[string]int // peers added but not yet reported as dropped

	// The two halves of a "drop": the peer event has the error, a log record
	// says who asked for it. They come from different goroutines, in any order.
	drops    map[string][]*p2p.PeerEvent
	requests map[string][]any
}

func newEventLog() *eventLog {
	return &eventLog{
		live:     make(map[string]int),
		drops:    make(map[string][]*p2p.PeerEvent),
		requests: make(map[string][]any),
	}
}

func (l *eventLog) emit(f fields) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(f)
}

// write needs the lock. The event's name comes first, for human readers.
func (l *eventLog) write(f fields) {
	name := f["event"]
	delete(f, "event")
	line := fmt.Appendf(nil, `{"event":%q`, name)
	if rest, err := json.Marshal(f); err != nil {
		fmt.Fprintln(os.Stderr, "geth-peer:", err)
	} else if len(f) > 0 {
		line = append(append(line, ','), rest[1:len(rest)-1]...)
	}
	os.Stdout.Write(append(line, '}', '\n'))
}

func (l *eventLog) peerAdded(ev *p2p.PeerEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[ev.Peer.String()]++
	l.write(fields{"event": "add", "peer": ev.Peer.String(), "local": ev.LocalAddress, "remote": ev.RemoteAddress})
}

func (l *eventLog) peerDropped(ev *p2p.PeerEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := ev.Peer.String()
	l.drops[id] = append(l.drops[id], ev)
	l.joinDrop(id)
}

func (l *eventLog) dropRequested(id string, requested any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests[id] = append(l.requests[id], requested)
	l.joinDrop(id)
}

// joinDrop needs the lock.
func (l *eventLog) joinDrop(id string) {
	if len(l.drops[id]) == 0 || len(l.requests[id]) == 0 {
		return
	}
	ev, requested := l.drops[id][0], l.requests[id][0]
	l.drops[id], l.requests[id] = l.drops[id][1:], l.requests[id][1:]
	if l.live[id]--; l.live[id] == 0 {
		delete(l.live, id)
	}
	l.write(fields{
		"event": "drop", "peer": id, "error": ev.Error, "requested": requested,
		"local": ev.LocalAddress, "remote": ev.RemoteAddress,
	})
}

// waitForDrops returns when every added peer has been reported as dropped.
// Server.Stop returns a little before the last of those events.
func (l *eventLog) waitForDrops(grace time.Duration) {
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		left := len(l.live)
		l.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

// Log records that become "log" events. What goes wrong before a peer is added
// is found nowhere else. The texts are those of geth v1.17.10.
var reported = map[string]bool{
	"Starting p2p dial":                true,
	"Dial error":                       true,
	"Rejected inbound connection":      true, // at accept, before any byte
	"Setting up connection failed":     true, // the node to dial has no usable key
	"Failed RLPx handshake":            true,
	"Failed p2p handshake":             true, // the remote's Disconnect in place of Hello is here
	"Wrong devp2p handshake identity":  true,
	"Rejected peer":                    true, // our own Disconnect, before or after Hello
	"Adding p2p peer":                  true,
	removedMsg:                         true,
	"DNS lookup of static node failed": true,
	"Temporary read error":             true,
	"Read error":                       true,
}

const (
	removedMsg  = "Removing p2p peer"
	spindownMsg = "<-delpeer (spindown)" // in its place while the server stops
)

// logHandler picks the records above out of geth's log.
type logHandler struct {
	events *eventLog
	attrs  []slog.Attr
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h *logHandler) WithGroup(string) slog.Handler            { return h }

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.events, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	if !reported[r.Message] && r.Message != spindownMsg {
		return nil
	}
	values := fields{}
	add := func(a slog.Attr) bool {
		values[a.Key] = plain(a.Value.Any())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)

	if r.Message == removedMsg || r.Message == spindownMsg {
		h.events.dropRequested(fmt.Sprint(values["id"]), values["req"])
	}
	if reported[r.Message] {
		line := fields{"event": "log", "level": log.LevelString(r.Level), "msg": r.Message, "fields": values}
		if err, ok := values["err"]; ok {
			line["err"] = err
			delete(values, "err")
		}
		h.events.emit(line)
	}
	return nil
}

// plain reduces a log value to something JSON shows legibly.
func plain(v any) any {
	switch v := v.(type) {
	case nil, bool, int, int64, uint64, string:
		return v
	case error:
		return v.Error()
	default:
		return fmt.Sprint(v)
	}
}

func errorText(err error) any {
	if err == nil {
		return nil
	}
	return err.Error()
}
