package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
)

// knock is at the other end of a device's network cable, whose frames are
// datagrams between two UDP ports of the loopback. For each line of stdin, which
// is a port, it begins a TCP connection from that port and never completes it. It
// prints the port when the device answers.
func knock(ours, device string) {
	local, err := net.ResolveUDPAddr("udp", "127.0.0.1:"+ours)
	check(err)
	remote, err := net.ResolveUDPAddr("udp", "127.0.0.1:"+device)
	check(err)
	conn, err := net.DialUDP("udp", local, remote)
	check(err)
	go hear(conn)
	lines := make(chan string)
	go readLines(lines)
	for line := range lines {
		port, err := strconv.ParseUint(line, 10, 16)
		check(err)
		_, err = conn.Write(syn(uint16(port)))
		check(err)
	}
}

var (
	ourHardware    = []byte{2, 0, 0, 0, 0, 2}
	deviceHardware = []byte{2, 0, 0, 0, 0, 1}
	ourAddress     = []byte{10, 0, 2, 2}
	deviceAddress  = []byte{10, 0, 2, 15}
)

const devicePort = 30303

// hear says where we are to whoever asks, and prints who is answered.
func hear(conn net.Conn) {
	frame := make([]byte, 2048)
	for {
		len, err := conn.Read(frame)
		if err != nil {
			continue // the device is not there yet
		}
		switch frame := frame[:len]; {
		case isARPRequest(frame):
			_, err = conn.Write(arpReply(frame))
			check(err)
		case isSynAck(frame):
			fmt.Println("answered", binary.BigEndian.Uint16(frame[36:]))
		}
	}
}

func ethernet(kind uint16) []byte {
	return binary.BigEndian.AppendUint16(append(bytes.Clone(deviceHardware), ourHardware...), kind)
}

func isARPRequest(frame []byte) bool {
	return len(frame) >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 1 && bytes.Equal(frame[38:42], ourAddress)
}

// RFC 826
func arpReply(request []byte) []byte {
	frame := append(ethernet(0x0806), 0, 1, 8, 0, 6, 4, 0, 2)
	frame = append(append(frame, ourHardware...), ourAddress...)
	return pad(append(frame, request[22:32]...))
}

// An IPv4 header without options is in the way.
func isSynAck(frame []byte) bool {
	return len(frame) >= 54 && frame[12] == 0x08 && frame[13] == 0 && frame[23] == 6 && frame[47]&0x3f == 0x12
}

// RFC 791 and RFC 9293
func syn(from uint16) []byte {
	segment := binary.BigEndian.AppendUint16(nil, from)
	segment = binary.BigEndian.AppendUint16(segment, devicePort)
	segment = append(segment, 0, 0, 3, 0xe8, 0, 0, 0, 0, 5<<4, 0x02, 0x20, 0, 0, 0, 0, 0)
	pseudo := append(append(bytes.Clone(ourAddress), deviceAddress...), 0, 6, 0, byte(len(segment)))
	binary.BigEndian.PutUint16(segment[16:], checksum(append(pseudo, segment...)))

	header := []byte{0x45, 0, 0, byte(20 + len(segment)), 0, 0, 0, 0, 64, 6, 0, 0}
	header = append(append(header, ourAddress...), deviceAddress...)
	binary.BigEndian.PutUint16(header[10:], checksum(header))
	return pad(append(append(ethernet(0x0800), header...), segment...))
}

// checksum is that of RFC 1071, over an even number of bytes.
func checksum(data []byte) uint16 {
	sum := uint32(0)
	for ; len(data) > 0; data = data[2:] {
		sum += uint32(binary.BigEndian.Uint16(data))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// pad brings a frame to the shortest length that Ethernet has.
func pad(frame []byte) []byte {
	return append(frame, make([]byte, max(0, 60-len(frame)))...)
}
