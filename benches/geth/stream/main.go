// Command geth-stream sends messages from one of geth's p2p.Servers to another
// over loopback TCP, and prints how long that took and how much processor time
// both of them together used for it, in microseconds.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/p2p"

	"devp2p-proto/benches/geth/measure"
)

func main() {
	count := flag.Int("count", 1000, "messages")
	size := flag.Int("size", 1024, "bytes in each")
	flag.Parse()

	done := make(chan struct{})
	receiver := start("127.0.0.1:0", func(_ *p2p.Peer, rw p2p.MsgReadWriter) error {
		return receive(rw, *count, *size, done)
	})
	sender := start("", func(_ *p2p.Peer, rw p2p.MsgReadWriter) error {
		if err := send(rw, *count, *size); err != nil {
			return err
		}
		<-done
		return nil
	})
	sender.AddPeer(receiver.Self())

	<-begun
	start, before := time.Now(), measure.ProcessorTime()
	<-done
	fmt.Println(time.Since(start).Microseconds(), (measure.ProcessorTime() - before).Microseconds())
}

var begun = make(chan struct{})

func start(address string, run func(*p2p.Peer, p2p.MsgReadWriter) error) *p2p.Server {
	key, err := crypto.GenerateKey()
	measure.Check(err)
	server := &p2p.Server{Config: p2p.Config{
		PrivateKey:  key,
		Name:        "geth-stream",
		MaxPeers:    10,
		ListenAddr:  address,
		NoDiscovery: true,
		Protocols:   []p2p.Protocol{{Name: "echo", Version: 2, Length: 17, Run: run}},
		Logger:      log.New(),
	}}
	measure.Check(server.Start())
	return server
}

// send writes messages that do not compress, each different from its neighbours.
func send(rw p2p.MsgReadWriter, count, size int) error {
	noise := make([]byte, size+256)
	rand.New(rand.NewSource(1)).Read(noise)
	close(begun)
	for i := 0; i < count; i++ {
		payload := noise[i%256:][:size]
		msg := p2p.Msg{Code: uint64(i % 17), Size: uint32(size), Payload: bytes.NewReader(payload)}
		if err := rw.WriteMsg(msg); err != nil {
			return err
		}
	}
	return nil
}

func receive(rw p2p.MsgReadWriter, count, size int, done chan struct{}) error {
	payload := make([]byte, size)
	for i := 0; i < count; i++ {
		msg, err := rw.ReadMsg()
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(msg.Payload, payload); err != nil {
			return err
		}
	}
	close(done)
	return nil
}
