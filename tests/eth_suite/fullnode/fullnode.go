// Package fullnode makes a full geth node of geth's own packages.
//
// The command `geth` is not used instead: the newest version that `go install` can install does not know all forks of the
// suite's chain.
package fullnode

import (
	"encoding/json"
	"os"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
)

// Start runs a node that has the genesis block of this file, keeps everything in memory, and listens on 127.0.0.1. It dials
// nobody by itself.
func Start(genesisFile string) (*node.Node, *eth.Ethereum, error) {
	genesis, err := readGenesis(genesisFile)
	if err != nil {
		return nil, nil, err
	}
	stack, err := node.New(&node.Config{P2P: p2p.Config{ListenAddr: "127.0.0.1:0", MaxPeers: 10, NoDiscovery: true}})
	if err != nil {
		return nil, nil, err
	}
	config := ethconfig.Defaults
	config.Genesis, config.NetworkId, config.SyncMode = genesis, genesis.Config.ChainID.Uint64(), ethconfig.FullSync
	service, err := eth.New(stack, &config)
	if err != nil {
		return nil, nil, err
	}
	return stack, service, stack.Start()
}

func readGenesis(path string) (*core.Genesis, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	genesis := new(core.Genesis)
	return genesis, json.Unmarshal(text, genesis)
}
