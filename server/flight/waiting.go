package flight

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

// Waiting holds the uploads of calls that have not been read yet: in Feast 0.66 a call
// is a DoPut, a GetFlightInfo and a DoGet. It is safe for concurrent use.
type Waiting struct {
	// limit bounds the uploads, ttl how long each waits.
	limit int
	ttl   time.Duration

	mu        sync.Mutex
	byCommand map[[sha256.Size]byte]*Call
	byTicket  map[string]*Call
	closed    bool
}

// Call is an upload with its command.
type Call struct {
	Command *Command
	Upload  *Upload

	key    [sha256.Size]byte
	ticket string
	timer  *time.Timer
}

// NewWaiting makes a Waiting for so many uploads.
func NewWaiting(limit int, ttl time.Duration) *Waiting {
	return &Waiting{limit: limit, ttl: ttl, byCommand: map[[sha256.Size]byte]*Call{}, byTicket: map[string]*Call{}}
}

// Add keeps an upload until it is taken, or closes it. text is the command as the client
// has sent it; only who knows all of it, with its random command_id, gets the ticket. A
// client that repeats a command replaces its upload.
func (w *Waiting) Add(text []byte, c *Command, u *Upload) error {
	call := &Call{Command: c, Upload: u, key: sha256.Sum256(text), ticket: rand.Text()}
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.byCommand[call.key]; old != nil {
		w.drop(old)
	}
	if w.closed || len(w.byTicket) >= w.limit {
		u.Close()
		return fault.New(fault.Overloaded, "%d uploaded tables wait for their DoGet; try again later", w.limit)
	}
	w.add(call)
	return nil
}

func (w *Waiting) add(c *Call) {
	w.byCommand[c.key], w.byTicket[c.ticket] = c, c
	c.timer = time.AfterFunc(w.ttl, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.byTicket[c.ticket] == c {
			w.drop(c)
		}
	})
}

func (w *Waiting) remove(c *Call) {
	c.timer.Stop()
	delete(w.byCommand, c.key)
	delete(w.byTicket, c.ticket)
}

func (w *Waiting) drop(c *Call) {
	w.remove(c)
	c.Upload.Close()
}

// Ticket is the ticket of the upload for a command.
func (w *Waiting) Ticket(text []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.byCommand[sha256.Sum256(text)]; c != nil {
		return []byte(c.ticket), nil
	}
	return nil, fault.New(fault.NotFound, "Flight not found. Upload the table of the call by DoPut first; it is kept for %v", w.ttl)
}

// Take returns the upload of a ticket, which is then unknown. The caller closes it, or
// gives it back.
func (w *Waiting) Take(ticket []byte) (*Call, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byTicket[string(ticket)]
	if c == nil {
		return nil, fault.New(fault.NotFound, "the ticket is unknown: it can be used once, within %v", w.ttl)
	}
	w.remove(c)
	return c, nil
}

// GiveBack makes a ticket valid again, after a failure that may pass.
func (w *Waiting) GiveBack(c *Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.byCommand[c.key] != nil || len(w.byTicket) >= w.limit {
		c.Upload.Close()
		return
	}
	w.add(c)
}

// Close drops all uploads and refuses new ones.
func (w *Waiting) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, c := range w.byTicket {
		w.drop(c)
	}
}
