package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/binary"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/crypto/ecies"
	"github.com/ethereum/go-ethereum/rlp"
)

// What the image `malformed` draws: known bytes, so that frames can be sealed
// for it before it runs. The order is that of devp2p_proto::Entropy.
var (
	chipKey       = keyOf(0x80)
	chipEphemeral = keyOf(0x01)
	chipNonce     = sequence(0x41, 32)
	ourKey        = keyOf(0xa1)
	ourEphemeral  = keyOf(0xc1)
	ourNonce      = sequence(0xd1, 32)
)

// sequence returns n bytes that count up from first.
func sequence(first byte, n int) []byte {
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = first + byte(i)
	}
	return bytes
}

func keyOf(first byte) *ecdsa.PrivateKey {
	key, err := crypto.ToECDSA(sequence(first, 32))
	check(err)
	return key
}

func nodeID(key *ecdsa.PrivateKey) []byte {
	return crypto.FromECDSAPub(&key.PublicKey)[1:]
}

// agree returns the X of the point that both keys lead to.
func agree(secret, public *ecdsa.PrivateKey) []byte {
	shared, err := ecies.ImportECDSA(secret).GenerateShared(ecies.ImportECDSAPublic(&public.PublicKey), 16, 16)
	check(err)
	return shared
}

func encode(value any) []byte {
	bytes, err := rlp.EncodeToBytes(value)
	check(err)
	return bytes
}

// packet seals the body of auth or ack to the chip (rlpx.md, "Initial Handshake").
func packet(body []byte) []byte {
	body = append(body, make([]byte, 100)...)
	prefix := binary.BigEndian.AppendUint16(nil, uint16(len(body)+65+16+32))
	sealed, err := ecies.Encrypt(rand.Reader, ecies.ImportECDSAPublic(&chipKey.PublicKey), body, nil, prefix)
	check(err)
	return append(prefix, sealed...)
}

type authBody struct {
	Signature [65]byte
	ID        [64]byte
	Nonce     [32]byte
	Version   uint
}

func auth(identity *ecdsa.PrivateKey) authBody {
	token := agree(identity, chipKey)
	for i := range token {
		token[i] ^= ourNonce[i]
	}
	signature, err := crypto.Sign(token, ourEphemeral)
	check(err)
	return authBody{[65]byte(signature), [64]byte(nodeID(identity)), [32]byte(ourNonce), 4}
}

// session is the direction from the initiator to the chip (rlpx.md, "Framing").
// For its keys nothing of the chip's ack is needed but the nonce, which is known.
type session struct {
	stream cipher.Stream
	block  cipher.Block
	mac    crypto.KeccakState
}

func newSession(sentAuth []byte) *session {
	shared := agree(ourEphemeral, chipEphemeral)
	secret := crypto.Keccak256(shared, crypto.Keccak256(chipNonce, ourNonce))
	aesSecret := crypto.Keccak256(shared, secret)
	macSecret := crypto.Keccak256(shared, aesSecret)

	stream, err := aes.NewCipher(aesSecret)
	check(err)
	block, err := aes.NewCipher(macSecret)
	check(err)
	s := &session{cipher.NewCTR(stream, make([]byte, 16)), block, crypto.NewKeccakState()}
	for i := range macSecret {
		macSecret[i] ^= chipNonce[i]
	}
	s.mac.Write(macSecret)
	s.mac.Write(sentAuth)
	return s
}

func (s *session) sum() []byte {
	// Sum leaves the state as it is.
	return s.mac.Sum(nil)[:16]
}

func (s *session) seed(with []byte) {
	seed := make([]byte, 16)
	s.block.Encrypt(seed, s.sum())
	for i := range seed {
		seed[i] ^= with[i]
	}
	s.mac.Write(seed)
}

// header announces a body of size bytes.
func (s *session) header(size int) []byte {
	header := append([]byte{byte(size >> 16), byte(size >> 8), byte(size), 0xc2, 0x80, 0x80}, make([]byte, 10)...)
	s.stream.XORKeyStream(header, header)
	s.seed(header)
	return append(header, s.sum()...)
}

func (s *session) frame(body []byte) []byte {
	frame := s.header(len(body))
	padded := append(body, make([]byte, (16-len(body)%16)%16)...)
	s.stream.XORKeyStream(padded, padded)
	s.mac.Write(padded)
	s.seed(s.sum())
	return append(append(frame, padded...), s.sum()...)
}
