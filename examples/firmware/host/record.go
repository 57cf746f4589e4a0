package main

import (
	"fmt"
	"io"

	"github.com/golang/snappy"
)

type capability struct {
	Name    string
	Version uint
}

type hello struct {
	Version      uint
	Name         string
	Capabilities []capability
	Port         uint
	ID           []byte
}

// recipientCases are said to a chip that waits to be dialled.
func recipientCases(out io.Writer) {
	record := func(cause string, parts ...[]byte) { writeCase(out, cause, parts...) }
	good := packet(encode(auth(ourKey)))

	record("Violation(HandshakeTooLarge", []byte{0xff, 0xff, 0x04})
	record("Violation(HandshakeTooShort", []byte{0x00, 0x10, 0x04})
	record("Violation(PreEip8Handshake", []byte{0x04, 0x85, 0xaa})
	record("Violation(InvalidPublicKey", damaged(good, 2+64))
	record("Violation(HandshakeTagMismatch", damaged(good, len(good)-1))
	record("Violation(MalformedHandshake", packet([]byte{0x83, 'c', 'a', 't'}))
	unsigned := auth(ourKey)
	unsigned.Signature[64] = 9
	record("Violation(InvalidSignature", packet(encode(unsigned)))
	offCurve := auth(ourKey)
	offCurve.ID[63] ^= 1
	record("Violation(InvalidPublicKey", packet(encode(offCurve)))

	// What comes in place of Hello
	atHello := func(cause string, say func(*session) []byte) { record(cause, good, say(newSession(good))) }
	message := func(id uint64, payload []byte) func(*session) []byte {
		return func(s *session) []byte { return s.frame(append(encode(id), payload...)) }
	}
	atHello("Violation(HeaderMacMismatch", func(s *session) []byte { return damaged(s.frame([]byte{0x80}), 31) })
	atHello("Violation(BodyMacMismatch", func(s *session) []byte { return damaged(s.frame([]byte{0x80}), 63) })
	atHello("Violation(FrameTooLarge", func(s *session) []byte { return s.header(0xffffff) })
	atHello("Violation(EmptyFrame", func(s *session) []byte { return s.frame(nil) })
	atHello("Violation(MalformedMessageId", func(s *session) []byte { return s.frame([]byte{0x81, 0x01}) })
	atHello("Violation(ExpectedHello", message(2, []byte{0xc0}))
	atHello("Violation(MalformedHello", message(0, []byte{0xc1, 0xb8}))
	atHello("Violation(IncompatibleVersion", message(0, helloOf(3, nodeID(ourKey))))
	atHello("Violation(NullIdentity", message(0, helloOf(5, make([]byte, 64))))
	atHello("Violation(UnexpectedIdentity", message(0, helloOf(5, nodeID(ourEphemeral))))
	mirrored := packet(encode(auth(chipKey)))
	record("Violation(ConnectedToSelf", mirrored, newSession(mirrored).frame(append(encode(uint(0)), helloOf(5, nodeID(chipKey))...)))

	// What comes after it
	running := func(cause string, say func(*session) []byte) {
		s := newSession(good)
		record(cause, good, message(0, helloOf(5, nodeID(ourKey)))(s), say(s))
	}
	compressed := func(id uint64, payload []byte) func(*session) []byte {
		return message(id, snappy.Encode(nil, payload))
	}
	running("Violation(BodyMacMismatch", func(s *session) []byte { return damaged(s.frame([]byte{16}), 40) })
	running("Violation(FrameTooLarge", func(s *session) []byte { return s.header(4096) })
	running("Violation(EmptyFrame", func(s *session) []byte { return s.frame(nil) })
	running("Violation(UnknownMessageId", compressed(1000, nil))
	running("Violation(MalformedCompression", message(16, []byte{0x40, 0xff, 0xff}))
	running("Violation(PayloadTooLarge", compressed(16, make([]byte, 8192)))
	running("Violation(MalformedDisconnect", compressed(1, []byte{0xc1, 0xb8}))
	running("Violation(MalformedPing", compressed(2, []byte{0xb8}))

	// Nothing wrong: the chip still takes messages, and learns why the peer leaves.
	running("Remote(client quitting)", func(s *session) []byte {
		return append(compressed(16, make([]byte, 1024))(s), compressed(1, encode([]uint{8}))(s)...)
	})
}

// initiatorCases are said to a chip that has dialled.
func initiatorCases(out io.Writer) {
	record := func(cause string, parts ...[]byte) { writeCase(out, cause, parts...) }
	type ackBody struct {
		Ephemeral [64]byte
		Nonce     [32]byte
		Version   uint
	}
	good := ackBody{[64]byte(nodeID(ourEphemeral)), [32]byte(ourNonce), 4}
	sealed := packet(encode(good))
	record("Violation(HandshakeTooLarge", []byte{0xff, 0xff, 0x04})
	record("Violation(HandshakeTooShort", []byte{0x00, 0x10, 0x04})
	record("Violation(PreEip8Handshake", []byte{0x04, 0x85, 0xaa})
	record("Violation(InvalidPublicKey", damaged(sealed, 2+64))
	record("Violation(HandshakeTagMismatch", damaged(sealed, len(sealed)-1))
	record("Violation(MalformedHandshake", packet([]byte{0xc0}))
	offCurve := good
	offCurve.Ephemeral[63] ^= 1
	record("Violation(InvalidPublicKey", packet(encode(offCurve)))
	record("Violation(HeaderMacMismatch", sealed, make([]byte, 32))
}

// writeCase writes a line: the bytes, and what the chip is to say of the case.
func writeCase(out io.Writer, cause string, parts ...[]byte) {
	for _, part := range parts {
		fmt.Fprintf(out, "%x", part)
	}
	fmt.Fprintln(out, "", cause)
}

// damaged returns the bytes with one of them changed.
func damaged(bytes []byte, at int) []byte {
	bytes = append([]byte(nil), bytes...)
	bytes[at] ^= 1
	return bytes
}

func helloOf(version uint, id []byte) []byte {
	return encode(hello{version, "malformed", []capability{{"bulk", 1}, {"echo", 2}}, 0, id})
}
