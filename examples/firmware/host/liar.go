package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/rlp"
)

// The messages of eth that are spoken here (caps/eth.md).
const (
	statusCode       = 0x00
	getHeadersCode   = 0x03
	headersCode      = 0x04
	getBodiesCode    = 0x05
	bodiesCode       = 0x06
	transactionsCode = 0x08 // NewPooledTransactionHashes
)

const network = 1337

// As many transactions as there is room for in a message of 4 KiB that announces
// them, and as many as geth announces in one.
const (
	largePool   = 110
	largestPool = 4096
)

// A lie of a node that has two blocks: the number of its newest one, as Status
// tells it, what it answers to a request for one of its headers, nil for nothing,
// and the transactions in its pool.
type lie struct {
	newest uint64
	answer func(id uint64, header rlp.RawValue) []any
	pool   int
}

var lies = map[string]lie{
	"none":    {1, answer, largePool},
	"number":  {2, answer, largePool},
	"hash":    {1, func(id uint64, header rlp.RawValue) []any { return answer(id, changed(header)) }, largePool},
	"silent":  {1, func(uint64, rlp.RawValue) []any { return nil }, largePool},
	"missing": {1, func(id uint64, header rlp.RawValue) []any { return []any{id, []any{}} }, largePool},
	"request": {1, func(id uint64, header rlp.RawValue) []any { return answer(id+7, header) }, largePool},
	// A header of a single field.
	"fields": {1, func(id uint64, header rlp.RawValue) []any { return answer(id, rlp.RawValue{0xc1, 0x80}) }, largePool},
	// The header's length, two bytes after 0xf9, spelt in three.
	"length": {1, func(id uint64, header rlp.RawValue) []any {
		return answer(id, append(rlp.RawValue{0xfa, 0}, header[1:]...))
	}, largePool},
	"pool": {1, answer, largestPool},
}

func answer(id uint64, header rlp.RawValue) []any {
	return []any{id, []any{header}}
}

// changed returns the header with another nonce, which is its last field.
func changed(header rlp.RawValue) rlp.RawValue {
	header = bytes.Clone(header)
	header[len(header)-1]++
	return header
}

// liar is that node, until its input ends. It prints its id, its port, and the
// hash of its genesis block; then what each peer answers when it is asked for a
// body, and why it has left.
func liar(name string) {
	told, known := lies[name]
	if !known {
		check(fmt.Errorf("no such lie: %q", name))
	}
	server := &p2p.Server{Config: p2p.Config{
		PrivateKey:  keyOf(0xa1),
		Name:        "liar",
		MaxPeers:    10,
		ListenAddr:  "127.0.0.1:0",
		NoDiscovery: true,
		NoDial:      true,
		Protocols:   []p2p.Protocol{{Name: "eth", Version: 69, Length: 18, Run: told.tell}},
	}}
	check(server.Start())
	events := make(chan *p2p.PeerEvent)
	server.SubscribeEvents(events)
	go func() {
		for event := range events {
			if event.Type == p2p.PeerEventTypeDrop {
				fmt.Println("dropped:", event.Error)
			}
		}
	}()
	fmt.Printf("%x %d %x\n", nodeID(keyOf(0xa1)), server.Self().TCP(), crypto.Keccak256(header(0)))
	io.Copy(io.Discard, os.Stdin)
}

func (l lie) tell(_ *p2p.Peer, rw p2p.MsgReadWriter) error {
	genesis := crypto.Keccak256(header(0))
	status := []any{uint(69), uint(network), genesis, []any{forkID(genesis), uint(0)},
		uint(0), l.newest, crypto.Keccak256(header(1))}
	err := errors.Join(
		p2p.Send(rw, statusCode, status),
		p2p.Send(rw, transactionsCode, announcement(l.pool)),
		p2p.Send(rw, getBodiesCode, []any{uint(5), []any{genesis}}),
	)
	if err != nil {
		return err
	}
	for {
		msg, err := rw.ReadMsg()
		if err != nil {
			return err
		}
		switch msg.Code {
		case getHeadersCode:
			err = l.show(rw, msg)
		case bodiesCode:
			var answer []byte
			answer, err = io.ReadAll(msg.Payload)
			fmt.Printf("answered: %x\n", answer)
		default:
			err = msg.Discard()
		}
		if err != nil {
			return err
		}
	}
}

func (l lie) show(rw p2p.MsgReadWriter, msg p2p.Msg) error {
	var request struct {
		ID      uint64
		Headers struct {
			Origin                []byte
			Amount, Skip, Reverse uint64
		}
	}
	if err := msg.Decode(&request); err != nil {
		return err
	}
	wanted := header(0)
	if !bytes.Equal(request.Headers.Origin, crypto.Keccak256(wanted)) {
		wanted = header(1)
	}
	answer := l.answer(request.ID, wanted)
	if answer == nil {
		return nil
	}
	return p2p.Send(rw, headersCode, answer)
}

// announcement returns the types of so many transactions, their sizes, and their
// hashes, as eth has had it since its version 68.
func announcement(transactions int) []any {
	types, sizes, hashes := make([]byte, transactions), make([]uint, transactions), make([][]byte, transactions)
	for i := range transactions {
		types[i], sizes[i], hashes[i] = 2, 300, crypto.Keccak256([]byte{byte(i >> 8), byte(i)})
	}
	return []any{types, sizes, hashes}
}

// header returns one with the fields that there were from the beginning.
func header(number uint) rlp.RawValue {
	hash, bloom := make([]byte, 32), make([]byte, 256)
	return encode([]any{hash, hash, make([]byte, 20), hash, hash, hash, bloom, uint(0), number,
		uint(30_000_000), uint(0), number, []byte{}, hash, make([]byte, 8)})
}

// forkID returns that of a chain without forks (EIP-2124).
func forkID(genesis []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(genesis))
}
