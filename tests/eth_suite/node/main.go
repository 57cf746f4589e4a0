// A full geth node, made of geth's own packages, with the chain of geth's suite:
//
//	node GENESIS CHAIN
//
// GENESIS is the genesis file and CHAIN the file with the encoded blocks after it. Prints the enode URL once all blocks are
// imported, and runs until its standard input ends.
//
// The newest version whose command `geth` can be installed does not know all forks of this chain.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/rlp"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(genesisFile, chainFile string) error {
	genesis, err := readGenesis(genesisFile)
	if err != nil {
		return err
	}
	stack, err := node.New(&node.Config{P2P: p2p.Config{
		ListenAddr:  "127.0.0.1:0",
		MaxPeers:    10,
		NoDiscovery: true,
		NoDial:      true,
	}})
	if err != nil {
		return err
	}
	defer stack.Close()

	// In memory, since the directory of the data is not given.
	config := ethconfig.Defaults
	config.Genesis, config.NetworkId = genesis, genesis.Config.ChainID.Uint64()
	service, err := eth.New(stack, &config)
	if err != nil {
		return err
	}
	if err := stack.Start(); err != nil {
		return err
	}
	if err := importChain(service.BlockChain(), chainFile); err != nil {
		return err
	}
	fmt.Println(stack.Server().NodeInfo().Enode)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func readGenesis(path string) (*core.Genesis, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	genesis := new(core.Genesis)
	return genesis, json.Unmarshal(text, genesis)
}

// importChain reads one block after the other and has each executed and checked.
func importChain(chain *core.BlockChain, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for stream := rlp.NewStream(file, 0); ; {
		block := new(types.Block)
		switch err := stream.Decode(block); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case block.NumberU64() == 0:
			continue
		}
		if _, err := chain.InsertChain(types.Blocks{block}); err != nil {
			return err
		}
	}
}
