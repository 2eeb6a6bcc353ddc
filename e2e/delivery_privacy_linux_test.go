package e2e

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What identifies a browser or its owner behind the back, and is not to be kept: in the worker everybody on this machine
// is a trusted proxy, so that the headers are believed as far as they ever are.
const (
	distinctAgent  = "Distinctive/9.87 (Unmistakable; rv:65.43)"
	distinctRemote = "127.83.29.71"
	distinctClient = "198.51.100.213"
	distinctIPv6   = "2001:db8:5ca1:ab1e::7f3"
	distinctVisit  = "/p/1000" // a control: this is kept, so it must be found where the others must not
)

func TestNeitherUserAgentNorAddressIsWrittenAnywhere(t *testing.T) {
	d := newDelivery(t)
	d.down.Store(true)
	w := d.run("-batch", "50", "-age", "50ms")
	address := w.ask("stats").Address
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(distinctRemote)}}).DialContext}}
	for i := range 120 {
		r, err := http.NewRequestWithContext(t.Context(), "GET", fmt.Sprintf("%s/p/%d", address, 1000+2*i), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Accept": "text/html", "User-Agent": distinctAgent,
			"X-Forwarded-For": distinctClient + ", " + distinctIPv6, "X-Real-Ip": distinctClient, "True-Client-Ip": distinctIPv6,
			"Forwarded": `for="[` + distinctIPv6 + `]";by=` + distinctRemote, "X-Forwarded-Host": "shop.test", "X-Forwarded-Proto": "http",
			"Cookie": "loguro_v=forged; loguro_s=forged", // complaints may quote the request
		} {
			r.Header.Set(name, value)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatalf("from %s: %v", distinctRemote, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	eventually(t, "the exporter has failed", func() bool { return d.asked.Load() > 1 }) // and said so
	w.kill()

	spool := bytesOf(t, d.spool)
	search(t, "the spool", spool, true)
	search(t, "the log", []byte(w.said()), false)

	d.down.Store(false)
	w = d.run()
	w.ask("flush")
	w.stop()
	d.nothingLeft()
	search(t, "the files of the exporter, as they are", bytesOf(t, d.data), false)
	var rows strings.Builder
	wh := openWarehouse(t, d.data)
	for _, row := range wh.rows("SELECT * FROM events") {
		rows.WriteString(row + "\n")
	}
	search(t, "the files of the exporter, as DuckDB reads them", []byte(rows.String()), true)
	search(t, "the log of the next process", []byte(w.said()), false)
	if n := wh.count("SELECT count(*) FROM events"); n != 240 {
		t.Errorf("%d events are in the files, want a pageview and an event of each of 120 requests", n)
	}
}

// search wants none of what is distinctive in the content, as text or as the bytes of an address.
func search(t *testing.T, where string, content []byte, control bool) {
	t.Helper()
	six := netip.MustParseAddr(distinctIPv6).As16()
	for what, secret := range map[string]string{
		"the User-Agent": "Distinctive/", "a part of it": "Unmistakable", "the address of the connection": distinctRemote,
		"the forwarded address": distinctClient, "the forwarded IPv6 address": "5ca1:ab1e", "the bytes of that": string(six[:]),
	} {
		if at := bytes.Index(bytes.ToLower(content), []byte(strings.ToLower(secret))); at >= 0 {
			t.Errorf("%s hold %s: %q", where, what, content[max(0, at-40):min(len(content), at+60)])
		}
	}
	if found := bytes.Contains(content, []byte(distinctVisit)); control && !found {
		t.Errorf("%s do not even hold what is to be kept; the search is blind", where)
	}
}

// bytesOf is every byte of every file below dir, and the names.
func bytesOf(t *testing.T, dir string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		all = append(all, path+"\n"...)
		if entry.Type().IsRegular() {
			content, err := os.ReadFile(path)
			all = append(all, content...)
			return err
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("nothing is in %s (%v)", dir, err)
	}
	return all
}
