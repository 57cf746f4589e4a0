// Command geth-peer is the remote end of the interop tests: geth's own
// p2p.Server with protocols that echo, driven by lines of JSON.
//
// # Flags
//
//	-protocols LIST  what is offered, "name/version:length,..." (default "ping/1:8,echo/1:16,echo/2:17,bulk/1:4,idle/1:0")
//	-sink LIST       protocols that count messages but do not echo them: "name/version,..." or "all"
//	-max-peers N     p2p.Config.MaxPeers (default 10; 0: everybody gets "too many peers" in place of Hello).
//	                 A third of it (at least 1) is kept for dialed peers unless -nodial is given, so that
//	                 -max-peers 1 takes an inbound connection only together with -nodial.
//	-name NAME       client name in Hello
//	-key HEX         node key, 32 bytes (default: a new one)
//	-nodial          never dial (p2p.Config.NoDial)
//	-verbose         emit "message" events
//
// # Commands, one JSON object a line on stdin (end of input is the same as "stop")
//
//	{"cmd":"dial","enode":"enode://..."}     Server.AddPeer: dials at once, but a node that was dialed less than 35 s ago waits
//	{"cmd":"undial","enode":"enode://..."}   Server.RemovePeer: disconnects with reason 0, no further dials
//	{"cmd":"connect","enode":"enode://..."}  one attempt past the dial scheduler (no history, no retry); answered by "connected"
//	{"cmd":"send","protocol":"bulk/1","code":0,"size":10,"kind":"zero","count":1,"seed":0}
//	                                         queue count messages (see payload for the kinds); answered by "sent"
//	{"cmd":"return","protocol":"echo/2"}     its Run returns nil
//	{"cmd":"fail","protocol":"echo/2"}       its Run returns an error of no special type
//	{"cmd":"fail-reason","protocol":"echo/2","reason":N}  ... a p2p.DiscReason
//	{"cmd":"fail-decode","protocol":"echo/2"}             ... what p2p.Msg.Decode says about a bad payload
//	{"cmd":"fail-code","protocol":"echo/2"}               ... what WriteMsg says about a code outside the range
//	{"cmd":"disconnect","reason":N}          Peer.Disconnect on every peer
//	{"cmd":"info"}                           answered by "info"
//	{"cmd":"stop"}                           Server.Stop, "stopped", exit status 0
//
// Commands that name a protocol act on every peer that shares it.
//
// # Events, one JSON object a line on stdout
//
//	{"event":"listening","enode":..,"port":N,"id":"64 hex","pubkey":"128 hex"}  always the first line
//	{"event":"add","peer":id,"local":addr,"remote":addr}
//	{"event":"drop","peer":id,"error":text,"requested":bool,"local":addr,"remote":addr}
//	        requested: the remote sent Disconnect; null while the server stops, when geth does not say
//	{"event":"run","protocol":"echo/2","peer":id,"pubkey":..,"name":..,"inbound":bool}
//	{"event":"run-end","protocol":"echo/2","peer":id,"error":text or null,"received":N,"sent":N,"received_bytes":N,"sent_bytes":N}
//	{"event":"message","protocol":..,"peer":id,"code":N,"size":N,"sha256":hex}  with -verbose
//	{"event":"sent","protocol":..,"peer":id,"count":N}          the messages of one "send" are written, or were refused
//	{"event":"send-failed","protocol":..,"peer":id,"code":N,"size":N,"error":text}
//	{"event":"connected","enode":..,"error":text or null}       result of "connect": p2p.Server.SetupConn's error,
//	        "rlpx enc error: .." for the key exchange, "rlpx proto error: .." for Hello, else our own reason
//	{"event":"info","peers":[..],"node":{..}}                   Server.PeersInfo and Server.NodeInfo
//	{"event":"log","level":..,"msg":..,"err":text,"fields":{..}} geth's log records about connections (see events.go)
//	{"event":"error","cmd":..,"error":text}                     a command that could not be done
//	{"event":"stopped"}
//
// "run-end" of a peer's protocols comes before its "drop". "add" and the first
// "run" come in any order, as do "drop" and the log record about it.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"
)

// Longer than an orderly parting takes: 1 s for geth's last write.
const stopGrace = 3 * time.Second

type command struct {
	Cmd      string `json:"cmd"`
	Enode    string `json:"enode"`
	Protocol string `json:"protocol"`
	Reason   uint8  `json:"reason"`
	Code     uint64 `json:"code"`
	Size     int    `json:"size"`
	Kind     string `json:"kind"`
	Count    int    `json:"count"`
	Seed     uint32 `json:"seed"`
}

func main() {
	var (
		protocols = flag.String("protocols", "ping/1:8,echo/1:16,echo/2:17,bulk/1:4,idle/1:0", "")
		sink      = flag.String("sink", "", "")
		maxPeers  = flag.Int("max-peers", 10, "")
		name      = flag.String("name", "geth-peer/v1.17.10", "")
		keyHex    = flag.String("key", "", "")
		noDial    = flag.Bool("nodial", false, "")
		verbose   = flag.Bool("verbose", false, "")
	)
	flag.Parse()

	specs, err := parseProtocols(*protocols, *sink)
	check(err)
	key, err := crypto.GenerateKey()
	if *keyHex != "" {
		key, err = crypto.HexToECDSA(*keyHex)
	}
	check(err)

	events := newEventLog()
	logger := log.NewLogger(&logHandler{events: events})
	log.SetDefault(logger) // for the parts of geth that do not take a logger
	host := &host{events: events, verbose: *verbose}
	srv := &p2p.Server{Config: p2p.Config{
		PrivateKey:  key,
		Name:        *name,
		MaxPeers:    *maxPeers,
		ListenAddr:  "127.0.0.1:0",
		NoDiscovery: true,
		NoDial:      *noDial,
		Protocols:   host.protocols(specs),
		Logger:      logger,
	}}
	check(srv.Start())
	follow(srv, events)

	port := srv.Self().TCP()
	events.emit(fields{
		"event":  "listening",
		"enode":  enode.NewV4(&key.PublicKey, net.IPv4(127, 0, 0, 1), port, port).URLv4(),
		"port":   port,
		"id":     srv.Self().ID().String(),
		"pubkey": hex.EncodeToString(crypto.FromECDSAPub(&key.PublicKey)[1:]),
	})

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c command
		err := json.Unmarshal(lines.Bytes(), &c)
		if err == nil && c.Cmd == "stop" {
			break
		}
		if err == nil {
			err = execute(srv, host, c)
		}
		if err != nil {
			events.emit(fields{"event": "error", "cmd": c.Cmd, "error": err.Error()})
		}
	}
	srv.Stop()
	events.waitForDrops(stopGrace)
	events.emit(fields{"event": "stopped"})
}

// follow turns the server's peer events into lines until the process ends.
func follow(srv *p2p.Server, events *eventLog) {
	ch := make(chan *p2p.PeerEvent)
	srv.SubscribeEvents(ch)
	go func() {
		for ev := range ch {
			switch ev.Type {
			case p2p.PeerEventTypeAdd:
				events.peerAdded(ev)
			case p2p.PeerEventTypeDrop:
				events.peerDropped(ev)
			}
		}
	}()
}

func execute(srv *p2p.Server, host *host, c command) error {
	switch c.Cmd {
	case "dial", "undial", "connect":
		node, err := enode.ParseV4(c.Enode)
		if err != nil {
			return err
		}
		switch c.Cmd {
		case "dial":
			srv.AddPeer(node)
		case "undial":
			srv.RemovePeer(node)
		case "connect":
			go connect(srv, host.events, node)
		}
		return nil
	case "disconnect":
		for _, peer := range srv.Peers() {
			peer.Disconnect(p2p.DiscReason(c.Reason))
		}
		return nil
	case "info":
		host.events.emit(fields{"event": "info", "peers": srv.PeersInfo(), "node": srv.NodeInfo()})
		return nil
	case "send", "return", "fail", "fail-reason", "fail-decode", "fail-code":
		return host.each(c.Protocol, func(s *session) { s.execute(c) })
	default:
		return errors.New("unknown command")
	}
}

// connect makes one outgoing connection in the way geth's dialer does, but
// tells how it went, which the dialer keeps to itself.
func connect(srv *p2p.Server, events *eventLog, node *enode.Node) {
	const dynDialed = 1 // the type of these flags is not exported, an untyped constant will do
	endpoint, _ := node.TCPEndpoint()
	conn, err := net.DialTimeout("tcp", endpoint.String(), 5*time.Second)
	if err == nil {
		err = srv.SetupConn(conn, dynDialed, node)
	}
	events.emit(fields{"event": "connected", "enode": node.URLv4(), "error": errorText(err)})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "geth-peer:", err)
		os.Exit(1)
	}
}
