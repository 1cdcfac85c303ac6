package web

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// This file bounds what requests cost before anything is proved. A caller that has proved nothing
// can send bytes, so each body is charged for the memory that it really takes while it comes.

const (
	// maxHeld is how many bytes the bodies of all requests in flight hold together. The garbage
	// collector may double it, and the process needs as much again for everything else. So it fits
	// into the 512 MB of the shipped deployments.
	maxHeld = 64 << 20
	// maxLarge is how much of that large bodies hold, which are mails. The rest is left to replies,
	// receipts and the doors: a flood of half-sent mails must not hold up a YES or a STOP, which
	// Twilio does not bring again for long. Mailgun brings a mail again for eight hours.
	maxLarge = 56 << 20
	// readCost is charged for each byte of a body that a handler reads whole: the bytes, and the
	// smaller copies that were outgrown meanwhile.
	readCost = 3
	// maxFields is how many header fields a request has at most. Each costs far more memory than
	// the bytes that it is sent in.
	maxFields = 100
	// busyWait is when a caller may retry, in seconds: bodies that stall are gone by then.
	busyWait = "30"
)

// ErrBusy says that the bodies in flight already hold all the memory that they may.
var ErrBusy = errors.New("too many bodies are in flight")

// Budget bounds the memory of the bodies of all requests in flight, in the whole process. Its zero
// value is ready.
type Budget struct{ held atomic.Int64 }

// Held is how many bytes the bodies in flight hold now.
func (b *Budget) Held() int64 { return b.held.Load() }

// Hold opens the account of one request. Close it when the request is over.
func (b *Budget) Hold() *Hold { return &Hold{budget: b, most: maxHeld} }

// Hold is what one request holds. One goroutine uses it.
type Hold struct {
	budget *Budget
	most   int64 // up to which the bodies of all requests may grow by this one
	held   int64
	busy   bool
}

// Take is called before n more bytes are held. It returns ErrBusy when they would be too many.
func (h *Hold) Take(n int) error {
	if h.budget.held.Add(int64(n)) > h.most {
		h.budget.held.Add(-int64(n))
		h.busy = true
		return ErrBusy
	}
	h.held += int64(n)
	return nil
}

// Give is called when n bytes are held no more.
func (h *Hold) Give(n int) {
	h.held -= int64(n)
	h.budget.held.Add(-int64(n))
}

// Close gives back all that is still held.
func (h *Hold) Close() { h.Give(int(h.held)) }

// Bound is the middleware that charges each body, byte by byte as it is read. A body that does not
// fit has the caller hear a 503 with Retry-After, whatever the handler makes of the read error.
func (b *Budget) Bound(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if countFields(r.Header) > maxFields {
			return c.String(http.StatusRequestHeaderFieldsTooLarge, "too many header fields\n")
		}
		if r.ContentLength == 0 || r.Body == nil {
			AtWork(r.Context())
			return next(c)
		}
		hold, body := b.Hold(), r.Body
		// The server looks at its own body to decide whether to wait for the rest of it.
		defer func() { r.Body = body; hold.Close() }()
		r.Body = &chargedBody{body, r, hold, readCost}
		c.Response().Before(func() {
			if hold.busy {
				c.Response().Status = http.StatusServiceUnavailable
				c.Response().Header().Set("Retry-After", busyWait)
				stopReading(c)
			}
		})
		return next(c)
	}
}

func countFields(header http.Header) (n int) {
	for _, values := range header {
		n += len(values)
	}
	return n
}

// HoldOf returns the account of a request to a handler that charges it by itself, for what it
// keeps of a large body. From then on reading the body costs nothing, and the account may not take
// what is left to small bodies.
func HoldOf(r *http.Request) *Hold {
	if b, ok := r.Body.(*chargedBody); ok {
		b.cost, b.hold.most = 0, maxLarge
		return b.hold
	}
	return new(Budget).Hold() // no body, so nothing is held
}

// chargedBody is a body that is charged while it is read.
type chargedBody struct {
	io.ReadCloser
	request *http.Request
	hold    *Hold
	cost    int // of a byte
}

func (b *chargedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.cost > 0 {
		if busy := b.hold.Take(b.cost * n); busy != nil {
			return n, busy
		}
	}
	if err == io.EOF {
		AtWork(b.request.Context())
	}
	return n, err
}

// stopReading has the server read no more of a request. Else it would wait for what is left of the
// body before it sends the response.
func stopReading(c echo.Context) {
	// An error means that there is no connection, as in a test that has a recorder.
	_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Unix(1, 0))
}
