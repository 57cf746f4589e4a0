// Command geth-rlpx sends messages from one of geth's rlpx.Conns to another in
// memory, and prints how much processor time a message took on both sides
// together, in nanoseconds. With -links it only writes, each message to so many
// connections, and prints the time of a message to all of them.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p/rlpx"

	"devp2p-proto/benches/geth/measure"
)

// Each message begins one byte further into the file than the one before, up to
// this many bytes, so that a message differs from its neighbours.
const shifts = 256

func main() {
	count := flag.Int("count", 1000, "messages")
	file := flag.String("payload", "", "file with the bytes of the payloads")
	links := flag.Int("links", 0, "connections that each message is written to")
	flag.Parse()

	payload, err := os.ReadFile(*file)
	measure.Check(err)
	messages := exchange()
	if *links > 0 {
		messages = fanOut(*links)
	}
	messages(payload, *count/10+1)
	before := measure.ProcessorTime()
	messages(payload, *count)
	fmt.Println((measure.ProcessorTime() - before).Nanoseconds() / int64(*count))
}

// connect returns two ends that have made their handshake, with Snappy on, and
// what is on the way from the first to the second.
func connect() (*rlpx.Conn, *rlpx.Conn, *bytes.Buffer) {
	ours, err := crypto.GenerateKey()
	measure.Check(err)
	theirs, err := crypto.GenerateKey()
	measure.Check(err)
	a, b := net.Pipe()
	left, right := &wire{Conn: a}, &wire{Conn: b}
	dialled, accepted := rlpx.NewConn(left, &theirs.PublicKey), rlpx.NewConn(right, nil)
	done := make(chan error)
	go func() {
		_, err := accepted.Handshake(theirs)
		done <- err
	}()
	_, err = dialled.Handshake(ours)
	measure.Check(err)
	measure.Check(<-done)
	dialled.SetSnappy(true)
	accepted.SetSnappy(true)
	left.bytes = new(bytes.Buffer)
	right.bytes = left.bytes
	return dialled, accepted, left.bytes
}

// exchange returns a function that sends messages from one end to the other.
func exchange() func(payload []byte, count int) {
	sender, receiver, _ := connect()
	return func(payload []byte, count int) {
		size := len(payload) - shifts
		for i := 0; i < count; i++ {
			_, err := sender.Write(uint64(16+i%17), payload[i%shifts:][:size])
			measure.Check(err)
			_, data, _, err := receiver.Read()
			measure.Check(err)
			if len(data) != size {
				measure.Check(io.ErrUnexpectedEOF)
			}
		}
	}
}

// fanOut returns a function that writes each message to so many connections,
// whose other ends read nothing.
func fanOut(links int) func(payload []byte, count int) {
	senders := make([]*rlpx.Conn, links)
	wires := make([]*bytes.Buffer, links)
	for i := range senders {
		senders[i], _, wires[i] = connect()
	}
	return func(payload []byte, count int) {
		size := len(payload) - shifts
		for i := 0; i < count; i++ {
			for j, sender := range senders {
				_, err := sender.Write(16, payload[i%shifts:][:size])
				measure.Check(err)
				wires[j].Reset()
			}
		}
	}
}

// wire is a pipe during the handshake, and then a buffer that both ends share.
type wire struct {
	net.Conn
	bytes *bytes.Buffer
}

func (w *wire) Read(p []byte) (int, error) {
	if w.bytes == nil {
		return w.Conn.Read(p)
	}
	return w.bytes.Read(p)
}

func (w *wire) Write(p []byte) (int, error) {
	if w.bytes == nil {
		return w.Conn.Write(p)
	}
	return w.bytes.Write(p)
}
