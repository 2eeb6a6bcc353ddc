package e2e

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// interpret is a proxy before the small server, for other servers that insert into it. The small one lacks two things
// that no client needs: the question how far a table is behind (TablesStatusRequest), which the proxy answers, and queries
// that do not come from a client of the native protocol.
func interpret(t *testing.T, server string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go interpretFor(client, server)
		}
	}()
	return listener.Addr().String()
}

func interpretFor(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, server)
	}()
	chunk := make([]byte, 1<<20)
	for {
		n, err := client.Read(chunk)
		if err != nil {
			return
		}
		sent, answer := withoutStatusRequest(chunk[:n])
		if _, err := server.Write(asFromClient(sent)); err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// withoutStatusRequest takes the question about one table off the end of what was sent, and answers it: the table is not
// replicated.
func withoutStatusRequest(sent []byte) (rest, answer []byte) {
	const request, response, tables, replicated = 5, 9, 1, 0
	at := bytes.LastIndex(sent, []byte{request, tables})
	if at < 0 {
		return sent, nil
	}
	names := sent[at+2:]
	end := 0
	for range 2 { // database and table
		end += textSize(names, end)
	}
	if end != len(names) || !bytes.Contains(names, []byte(storeTable)) {
		return sent, nil
	}
	return sent[:at], append(append([]byte{response, tables}, names...), replicated)
}

// asFromClient makes a query that another server passes on for its local user one that it passes on for a client of the
// native protocol, of which it says as little.
func asFromClient(sent []byte) []byte {
	const query, secondary, local, native = 1, 2, 6, 1
	if len(sent) < 3 || sent[0] != query {
		return sent
	}
	at := 1 + textSize(sent, 1) // the query's id
	if at >= len(sent) || sent[at] != secondary {
		return sent
	}
	at++
	for range 3 { // user, id and address of the initial query
		at += textSize(sent, at)
	}
	at += 8 // when it began
	if at+3 > len(sent) || sent[at] != local {
		return sent
	}
	out := append(bytes.Clone(sent[:at]), native, 0, 0, 0, 0, 0, 0) // user, host, name, version, protocol
	at++
	rest := at + textSize(sent, at) + 1 // quota key, depth
	if rest > len(sent) {
		return sent
	}
	out = append(out, sent[at:rest]...)
	return append(append(out, 0), sent[rest:]...) // patch of the version
}

// textSize is how long a short text is with its length before it; beyond the end of b it is one byte.
func textSize(b []byte, at int) int {
	if at >= len(b) {
		return 1
	}
	return 1 + int(b[at])
}
