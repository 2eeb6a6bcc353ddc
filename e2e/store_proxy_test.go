package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// fault is what the network does to one insert.
type fault string

const (
	pass   fault = "pass"   // nothing
	refuse fault = "refuse" // the connection ends when the insert begins, and nobody gets a new one for a while
	drop   fault = "drop"   // the connection is closed when the insert begins
	reset  fault = "reset"  // the connection is reset (RST) at a random byte
	half   fault = "half"   // the connection is closed in the middle of the data
	lost   fault = "lost"   // the server inserts, and nobody hears of it
	torn   fault = "torn"   // the server inserts, and half of its answer arrives
	delay  fault = "delay"  // the data waits for a moment
	stall  fault = "stall"  // from some byte on nothing gets through, until the client gives up
	late   fault = "late"   // the data arrives after the client has given up
	later  fault = "later"  // the data arrives after the same batch arrived by another connection

	killHalf   fault = "kill in the data"
	killWork   fault = "kill at work" // some time after the data began to arrive
	killAnswer fault = "kill at the answer"
)

// badNetwork is a TCP proxy between an exporter and its server. It deals with every insert as the next card of its deck says.
type badNetwork struct {
	t      *testing.T
	addr   string
	server string
	kill   func() bool // for the kills, in the goroutine of a connection; false if it is not the time for one

	mu       sync.Mutex
	rand     *rand.Rand
	cards    func() []fault // a new deck, when the old one is used up; nil: all pass
	deck     []fault
	down     bool // no connection at all
	refusing int  // connections to refuse
	links    map[*link]bool
	held     []*link // that wait for another answer
	happened map[fault]int
	inserts  int
	history  []string
	running  sync.WaitGroup
}

func newBadNetwork(t *testing.T, server string, seed uint64) *badNetwork {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &badNetwork{t: t, addr: listener.Addr().String(), server: server, rand: rand.New(rand.NewPCG(seed, seed)),
		links: map[*link]bool{}, happened: map[fault]int{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			n.accept(client.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		n.cut()
		n.running.Wait()
		if t.Failed() {
			t.Logf("what the network did (seed %d): %v", seed, n.history)
		}
	})
	return n
}

// misbehave deals with the inserts by cards from now on: each deck has as many of each, in random order.
func (n *badNetwork) misbehave(of map[fault]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cards = func() (deck []fault) {
		for _, f := range []fault{pass, refuse, drop, reset, half, lost, torn, delay, stall, late, later, killHalf, killWork, killAnswer} {
			for range of[f] {
				deck = append(deck, f)
			}
		}
		n.rand.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		return deck
	}
}

// behave lets everything pass from now on, and what was held back arrives.
func (n *badNetwork) behave() {
	n.mu.Lock()
	n.cards, n.deck, n.refusing, n.down = nil, nil, 0, false
	n.mu.Unlock()
	n.releaseHeld()
}

// cut ends all connections, and refuses new ones until behave.
func (n *badNetwork) cut() {
	n.mu.Lock()
	n.down = true
	var all []*link
	for l := range n.links {
		all = append(all, l)
	}
	n.mu.Unlock()
	n.releaseHeld()
	for _, l := range all {
		l.close()
	}
}

func (n *badNetwork) accept(client *net.TCPConn) {
	n.mu.Lock()
	refused := n.down || n.refusing > 0
	if n.refusing > 0 {
		n.refusing--
	}
	n.mu.Unlock()
	if refused {
		client.SetLinger(0)
		client.Close()
		return
	}
	server, err := net.Dial("tcp", n.server)
	if err != nil { // it is killed
		client.Close()
		return
	}
	l := &link{n: n, client: client, server: server.(*net.TCPConn), free: make(chan struct{}), ended: make(chan struct{})}
	n.mu.Lock()
	n.links[l] = true
	n.mu.Unlock()
	n.running.Go(l.upstream)
	n.running.Go(l.downstream)
}

// draw is what happens to the insert that begins.
func (n *badNetwork) draw() fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.inserts++
	if n.cards == nil {
		return pass
	}
	if len(n.deck) == 0 {
		n.deck = n.cards()
	}
	f := n.deck[0]
	n.deck = n.deck[1:]
	return f
}

func (n *badNetwork) random(most int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rand.IntN(most)
}

// count notes a fault that really happened.
func (n *badNetwork) count(f fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.happened[f]++
	n.history = append(n.history, fmt.Sprintf("%d:%s", n.inserts, f))
}

func (n *badNetwork) times(f fault) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.happened[f]
}

// releaseHeld lets arrive what waits for another answer.
func (n *badNetwork) releaseHeld() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.held {
		close(l.free)
	}
	n.held = nil
}

// link is a connection of the client with that to the server.
type link struct {
	n              *badNetwork
	client, server *net.TCPConn
	closing        sync.Once
	free           chan struct{} // closed when what is held back may arrive
	ended          chan struct{} // closed when the server says no more

	mu     sync.Mutex
	fault  fault // of the insert under way
	stage  stage
	sent   int    // bytes of the insert that the client sent
	at     int    // the byte of the fault
	kept   []byte // from the client, held back
	answer []byte // from the server, held back
}

// stage is how far an insert is. Over the native protocol the server answers the query with a block that has the columns,
// and the client waits for that; over HTTP everything comes in one request.
type stage int

const (
	idle stage = iota
	asked
	columns
	data
)

func (l *link) close() {
	l.closing.Do(func() {
		l.client.Close()
		l.server.Close()
		l.n.mu.Lock()
		delete(l.n.links, l)
		l.n.mu.Unlock()
	})
}

func (l *link) reset() {
	l.client.SetLinger(0)
	l.server.SetLinger(0)
	l.close()
}

func (l *link) upstream() {
	chunk := make([]byte, 64<<10)
	for {
		size, err := l.client.Read(chunk)
		if size > 0 && !l.up(chunk[:size]) {
			l.close()
			return
		}
		if err != nil {
			l.mu.Lock()
			f, kept := l.fault, l.kept
			l.mu.Unlock()
			if (f == late || f == later) && len(kept) > 0 {
				l.arrive(f, kept)
			}
			l.close()
			return
		}
	}
}

// arrive brings the server what a client sent that has given up meanwhile.
func (l *link) arrive(f fault, kept []byte) {
	if f == later {
		l.n.mu.Lock()
		if l.n.cards == nil || l.n.down {
			close(l.free)
		} else {
			l.n.held = append(l.n.held, l)
		}
		l.n.mu.Unlock()
		<-l.free
	}
	if _, err := l.server.Write(kept); err != nil {
		return
	}
	_ = l.server.CloseWrite()
	<-l.ended
}

// up is for what the client sends. It returns false when the link is over.
func (l *link) up(chunk []byte) bool {
	l.mu.Lock()
	begins := bytes.Contains(chunk, []byte("INSERT INTO ")) || bytes.Contains(chunk, []byte("query=INSERT"))
	if begins {
		l.fault, l.sent, l.kept, l.answer = l.n.draw(), 0, nil, nil
		l.at = l.n.random(1 << (8 + l.n.random(10))) // small ones as often as large ones
		l.stage = asked
		if bytes.HasPrefix(chunk, []byte("POST ")) {
			l.stage = data
		}
	} else if l.stage == columns {
		l.stage = data
	}
	before := l.sent
	l.sent += len(chunk)
	f, stage, at := l.fault, l.stage, l.at
	if stage == idle {
		f = pass
	}
	hold := stage == data && (f == late || f == later)
	if hold {
		l.kept = append(l.kept, chunk...)
	}
	l.mu.Unlock()
	if hold {
		return true
	}

	switch {
	case begins && f == drop:
		l.n.count(f)
		return false
	case begins && f == refuse:
		l.n.mu.Lock()
		l.n.refusing = 1 + l.n.rand.IntN(3)
		l.n.mu.Unlock()
		l.n.count(f)
		return false
	case (f == reset || f == stall) && before+len(chunk) > at:
		if before <= at {
			_, _ = l.server.Write(chunk[:at-before])
			l.n.count(f)
		}
		if f == reset {
			l.reset()
			return false
		}
		return true // and nothing of it gets through
	case (f == half || f == killHalf) && stage == data:
		body := chunk
		if _, after, ok := bytes.Cut(chunk, []byte("\r\n\r\n")); begins && ok {
			body = after
		}
		if len(body) == 0 {
			break
		}
		_, _ = l.server.Write(chunk[:len(chunk)-len(body)+len(body)/2])
		if f == half || l.n.kill() {
			l.n.count(f)
		}
		return false
	case f == delay && stage == data:
		l.mu.Lock()
		l.fault = pass // once
		l.mu.Unlock()
		time.Sleep(time.Duration(l.n.random(100)) * time.Millisecond)
		l.n.count(f)
	case f == killWork && stage == data:
		l.mu.Lock()
		l.fault = pass // once
		l.mu.Unlock()
		l.n.running.Add(1)
		time.AfterFunc(time.Duration(l.n.random(60_000))*time.Microsecond, func() {
			defer l.n.running.Done()
			l.mu.Lock()
			defer l.mu.Unlock() // the answer stays away
			if l.stage == data && l.n.kill() {
				l.n.count(f)
				l.close()
			}
		})
	}
	_, err := l.server.Write(chunk)
	return err == nil
}

func (l *link) downstream() {
	defer close(l.ended)
	chunk := make([]byte, 64<<10)
	for {
		size, err := l.server.Read(chunk)
		if size > 0 && !l.down(chunk[:size]) {
			l.close()
			return
		}
		if err != nil {
			// The client sees the end of what the server sent; one that has given up is seen to by upstream.
			_ = l.client.CloseWrite()
			return
		}
	}
}

// down is for what the server sends.
func (l *link) down(chunk []byte) bool {
	l.mu.Lock()
	if l.stage == asked {
		l.stage = columns
	}
	if l.stage != data {
		l.mu.Unlock()
		_, err := l.client.Write(chunk)
		return err == nil
	}
	l.answer = append(l.answer, chunk...)
	f, answer := l.fault, l.answer
	over, well := done(answer)
	if over {
		l.stage = idle
	}
	l.mu.Unlock()
	switch f {
	case lost, torn, late, later, killAnswer: // hold it back
		if !over {
			return true
		}
		if f == torn {
			_, _ = l.client.Write(answer[:len(answer)/2])
		}
		if well && (f != killAnswer || l.n.kill()) {
			l.n.count(f)
		}
		return false
	}
	_, err := l.client.Write(chunk)
	if over && well {
		l.n.releaseHeld()
	}
	return err == nil
}

// done tells from what the server answered to an insert whether that is all, and whether all went well: an end of stream
// and no exception, or a status of 200.
func done(answer []byte) (over, well bool) {
	if len(answer) == 0 {
		return false, false
	}
	if bytes.HasPrefix(answer, []byte("HTTP/1.1")) {
		return bytes.Contains(answer, []byte("\r\n\r\n")), bytes.HasPrefix(answer, []byte("HTTP/1.1 200 "))
	}
	const exception, endOfStream = 2, 5
	if answer[0] == exception {
		return true, false
	}
	return answer[len(answer)-1] == endOfStream, true
}
