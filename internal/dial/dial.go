// Package dial connects to hosts with several addresses, some of which may be
// dead.
//
// It follows RFC 8305: when an address does not respond within a short pause,
// the next one is tried in parallel, and the first connection wins. An address
// that failed, or lost to a later one, is tried last for a while.
package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// longestPause is the longest wait before the next address is tried. When
	// the time limit is short, the pauses are shorter: all addresses are tried
	// in its first half.
	longestPause = 150 * time.Millisecond
	// lastFor is how long an address that did not respond is tried last.
	lastFor = time.Minute
	// keepAlive is the default of net.Dialer, so that connections live as long.
	keepAlive = 30 * time.Second
)

// Lookup returns the addresses of a host.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// Dialer makes connections. The zero value is ready for use. It is safe for
// concurrent use.
type Dialer struct {
	// Timeout bounds one DialContext, name resolution and all addresses
	// together; 0 means no bound.
	Timeout time.Duration
	// KeepAlive is the period of TCP keepalive; 0 is 30 s.
	KeepAlive time.Duration
	// Lookup resolves host names; nil asks the system.
	Lookup Lookup

	mu    sync.Mutex
	until map[string]time.Time // by address: until when it is tried last
}

// DialContext connects to an address of the form host:port. The net package
// handles networks other than TCP.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	host, port, err := net.SplitHostPort(address)
	if _, literal := netip.ParseAddr(host); err != nil || literal == nil || network != "tcp" {
		return d.connect(ctx, network, address)
	}
	ips, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	addresses := make([]string, 0, len(ips))
	for _, ip := range interleaved(ips) {
		addresses = append(addresses, net.JoinHostPort(ip.String(), port))
	}
	return d.race(ctx, d.ordered(addresses))
}

func (d *Dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	keep := d.KeepAlive
	if keep == 0 {
		keep = keepAlive
	}
	conn, err := (&net.Dialer{KeepAlive: keep}).DialContext(ctx, network, address)
	if deadline, ok := ctx.Deadline(); err != nil && ok && !time.Now().Before(deadline) {
		// The socket's timer may end before that of the context, with an error of its own.
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return conn, err
}

func (d *Dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	find := d.Lookup
	if find == nil {
		find = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	ips, err := find(ctx, host)
	if err == nil && len(ips) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return ips, err
}

// interleaved orders addresses so that IPv4 and IPv6 alternate, beginning with
// the kind of the first one.
func interleaved(ips []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	for _, ip := range ips {
		ip = ip.Unmap()
		if ip.Is4() == ips[0].Unmap().Is4() {
			first = append(first, ip)
		} else {
			second = append(second, ip)
		}
	}
	out := make([]netip.Addr, 0, len(ips))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}

// ordered moves the addresses that recently failed to respond to the end.
func (d *Dialer) ordered(addresses []string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.until) == 0 {
		return addresses
	}
	now := time.Now()
	out := make([]string, 0, len(addresses))
	var last []string
	for _, a := range addresses {
		if until, ok := d.until[a]; ok && now.Before(until) {
			last = append(last, a)
			continue
		}
		delete(d.until, a)
		out = append(out, a)
	}
	return append(out, last...)
}

// demote makes an address be tried last for a while.
func (d *Dialer) demote(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	now := time.Now()
	for a, until := range d.until { // addresses that the host no longer has
		if now.After(until) {
			delete(d.until, a)
		}
	}
	d.until[address] = now.Add(lastFor)
}

// attempt is the outcome of one address.
type attempt struct {
	index int
	conn  net.Conn
	err   error
}

// race starts an attempt for one address after the other, without waiting for
// the previous one to end, and returns the first connection.
func (d *Dialer) race(ctx context.Context, addresses []string) (net.Conn, error) {
	if len(addresses) == 1 {
		return d.connect(ctx, "tcp", addresses[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan attempt, len(addresses)) // no attempt blocks when it reports
	open := map[int]bool{}                        // running attempts
	defer func() {
		cancel()
		if len(open) > 0 {
			go closeLate(results, len(open))
		}
	}()
	started := 0
	next := func() {
		i := started
		started++
		open[i] = true
		go func() {
			conn, err := d.connect(ctx, "tcp", addresses[i])
			results <- attempt{i, conn, err}
		}()
	}
	pause := pauseOf(ctx, len(addresses))
	timer := time.NewTicker(pause)
	defer timer.Stop()
	next()
	var errs []error
	for {
		select {
		case r := <-results:
			delete(open, r.index)
			if r.err == nil {
				for i := range open {
					if i < r.index {
						d.demote(addresses[i])
					}
				}
				return r.conn, nil
			}
			errs = append(errs, r.err)
			if ctx.Err() == nil {
				d.demote(addresses[r.index])
			}
			if started == len(addresses) && len(open) == 0 {
				return nil, errors.Join(errs...)
			}
		case <-timer.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if started < len(addresses) {
			timer.Reset(pause)
			next()
		}
	}
}

// closeLate closes the connections that were made after the first one.
func closeLate(results <-chan attempt, n int) {
	for range n {
		if r := <-results; r.conn != nil {
			_ = r.conn.Close()
		}
	}
}

// pauseOf is how long an address has before the next one is tried in parallel.
func pauseOf(ctx context.Context, addresses int) time.Duration {
	pause := longestPause
	if deadline, ok := ctx.Deadline(); ok {
		pause = min(pause, time.Until(deadline)/time.Duration(2*addresses))
	}
	return max(pause, time.Millisecond)
}
