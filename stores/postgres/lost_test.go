package postgres_test

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/retry"
)

// losing sends connections through a proxy that, up to left times, closes a
// connection instead of forwarding the response to a committed write.
func losing(t *testing.T, opt pg.Options, left *atomic.Int64) pg.Options {
	t.Helper()
	server := net.JoinHostPort(opt.Host, strconv.Itoa(opt.Port))
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			up, err := new(net.Dialer).DialContext(t.Context(), "tcp", server)
			if err != nil {
				_ = client.Close()
				return
			}
			go func() { _, _ = io.Copy(up, client); _ = up.Close() }()
			go func() { answers(client, up, left); _ = client.Close(); _ = up.Close() }()
		}
	}()
	opt.Host, opt.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	return opt
}

// answers forwards the server's responses until one is to be lost.
func answers(client io.Writer, server io.Reader, left *atomic.Int64) {
	buf := make([]byte, 64<<10)
	wrote := false
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		wrote = wrote || bytes.Contains(buf[:n], []byte("INSERT 0 "))
		if wrote && bytes.HasSuffix(buf[:n], []byte("Z\x00\x00\x00\x05I")) { // committed, and ready for more
			wrote = false
			if left.Add(-1) >= 0 {
				return
			}
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// After a lost response it is unknown what is stored, which is an error; writing
// again changes nothing, and a row is not older than itself.
func TestLostResponsesChangeNothing(t *testing.T) {
	for name, mode := range map[string]stores.Mode{"Replace": stores.Replace, "Newer": stores.Newer} {
		t.Run(name, func(t *testing.T) {
			opt := options(t)
			open(t, opt, zip)
			var left atomic.Int64
			s := postgres.New(losing(t, opt, &left))
			t.Cleanup(func() { _ = s.Close() })
			recs := many(50)
			recs[20].Event = recs[20].Event.AddDate(20000, 0, 0)
			left.Store(1)
			w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
			if fault.KindOf(err) != fault.Unavailable || len(w.Failed.Indexes) > 0 {
				t.Errorf("%v, %v", w, err)
			}
			left.Store(3)
			w, err = retry.New(s, retry.Options{}).Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
			if err != nil || !slices.Equal(w.Failed.Indexes, []int{20}) || len(w.Older) > 0 {
				t.Errorf("%v, %v", w, err)
			}
		})
	}
}
