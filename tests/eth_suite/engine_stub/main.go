// A stub of the Engine API: it stands in for the interface of the consensus client and does nothing.
//
// geth's suite requires the address of an Engine API. The suite calls it to make a node leave its syncing mode before the
// tests of transactions. `eth` has no transaction pool and executes nothing, so the stub answers every call with a null
// result. The stub prints its URL, and runs until its standard input ends.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "engine_stub:", err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go http.Serve(listener, http.HandlerFunc(answer))
	io.Copy(io.Discard, os.Stdin)
}

func answer(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("content-type", "application/json")
	io.WriteString(response, `{"jsonrpc":"2.0","id":1,"result":null}`)
}
