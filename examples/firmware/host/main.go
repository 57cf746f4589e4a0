// Command host is what the runs of the firmware need on the host besides geth.
//
//	record FOLDER   writes what is said to the image `malformed`, one case a line,
//	                and the id of the node that says it
//	relay PORT      passes connections on, and lets them break; see relay.go
//	liar LIE        is a node that shows wrong block headers; see liar.go
//	knock PORT PORT begins connections and does not complete them; see knock.go
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	args := append(os.Args[1:], "", "")
	switch args[0] {
	case "record":
		record(args[1], "recipient.txt", recipientCases)
		record(args[1], "initiator.txt", initiatorCases)
		record(args[1], "node-id.txt", func(out io.Writer) { fmt.Fprintf(out, "%x\n", nodeID(ourKey)) })
	case "relay":
		relay(args[1])
	case "liar":
		liar(args[1])
	case "knock":
		knock(args[1], args[2])
	default:
		check(fmt.Errorf("record, relay, liar or knock, not %q", args[0]))
	}
}

func record(folder, name string, write func(io.Writer)) {
	file, err := os.Create(filepath.Join(folder, name))
	check(err)
	write(file)
	check(file.Close())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
}
