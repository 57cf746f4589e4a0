// A full geth node that downloads a chain from one peer and executes every block:
//
//	follower GENESIS ENODE HEAD
//
// GENESIS is the genesis file, ENODE the URL of the peer, and HEAD the hash of the block to reach. Once HEAD is this
// node's newest block, prints the capabilities of the peer and the number of HEAD. Fails if that takes more than a minute, or
// if the peer is not connected any more at that time.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/p2p/enode"

	"eth_suite/fullnode"
)

func main() {
	if err := run(os.Args[1], os.Args[2], common.HexToHash(os.Args[3])); err != nil {
		fmt.Fprintln(os.Stderr, "follower:", err)
		os.Exit(1)
	}
}

func run(genesisFile, url string, head common.Hash) error {
	peer, err := enode.Parse(enode.ValidSchemes, url)
	if err != nil {
		return err
	}
	stack, service, err := fullnode.Start(genesisFile)
	if err != nil {
		return err
	}
	defer stack.Close()
	stack.Server().AddPeer(peer)
	if err := follow(service, head); err != nil {
		return err
	}
	peers := stack.Server().PeersInfo()
	if len(peers) != 1 {
		return errors.New("the peer is gone")
	}
	fmt.Println(peers[0].Caps, "block", service.BlockChain().CurrentBlock().Number)
	return nil
}

// follow does what a consensus client asks for: it names a head, and waits until the node has reached it.
func follow(service *eth.Ethereum, head common.Hash) error {
	begun := false
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if service.BlockChain().CurrentBlock().Hash() == head {
			return nil
		}
		// This fails as long as there is no peer from which to get the header.
		header, err := service.Downloader().GetHeader(head)
		if begun || err != nil {
			continue
		}
		if err := service.Downloader().BeaconDevSync(header); err != nil {
			return err
		}
		begun = true
	}
	return fmt.Errorf("at block %v after a minute", service.BlockChain().CurrentBlock().Number)
}
