package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
)

// relay is a cable that can be pulled: it passes connections on to a port of
// the loopback, and says on which port of its own it listens. Of the lines of
// stdin, "reset" resets all connections, and with "silence" nothing that is
// said on them arrives any more; connections that come later are not concerned.
func relay(to string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	lines := make(chan string)
	go readLines(lines)
	accepted := make(chan net.Conn)
	go accept(listener, accepted)
	var cables []*cable
	for {
		select {
		case conn := <-accepted:
			far, err := net.Dial("tcp", "127.0.0.1:"+to)
			check(err)
			c := &cable{near: conn.(*net.TCPConn), far: far}
			go c.carry(c.near, c.far)
			go c.carry(c.far, c.near)
			cables = append(cables, c)
		case line, open := <-lines:
			if !open {
				return
			}
			for _, c := range cables {
				c.pull(line)
			}
		}
	}
}

type cable struct {
	near   *net.TCPConn
	far    net.Conn
	silent atomic.Bool
}

func (c *cable) pull(how string) {
	c.silent.Store(true)
	if how == "reset" {
		// Without lingering a close is a reset.
		c.near.SetLinger(0)
		c.near.Close()
		c.far.Close()
	}
}

func (c *cable) carry(from, to net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if !c.silent.Load() {
			to.Write(buffer[:n])
		}
		if err != nil {
			if !c.silent.Load() || from == net.Conn(c.near) {
				to.Close()
			}
			return
		}
	}
}

func accept(listener net.Listener, accepted chan<- net.Conn) {
	for {
		conn, err := listener.Accept()
		check(err)
		accepted <- conn
	}
}

func readLines(lines chan<- string) {
	scanner := bufio.NewScanner(io.Reader(os.Stdin))
	for scanner.Scan() {
		lines <- scanner.Text()
	}
	close(lines)
}
