// A full geth node with the chain of geth's suite:
//
//	node GENESIS CHAIN
//
// GENESIS is the genesis file and CHAIN the file with the encoded blocks after it. Prints the enode URL once all blocks are
// imported, and runs until its standard input ends.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"eth_suite/fullnode"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(genesisFile, chainFile string) error {
	stack, service, err := fullnode.Start(genesisFile)
	if err != nil {
		return err
	}
	defer stack.Close()
	if err := importChain(service.BlockChain(), chainFile); err != nil {
		return err
	}
	fmt.Println(stack.Server().NodeInfo().Enode)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
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
