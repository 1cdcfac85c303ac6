package web

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// slowPiece bytes must come within pieceTime, again and again: 16 KiB a second. Providers of
	// mail send a hundred times as fast, and a caller that stalls is cut off after pieceTime.
	slowPiece = 160 << 10
	pieceTime = 10 * time.Second
	// uploadTime is how long a whole upload may take. It ends, with the response, before the
	// server's WriteTimeout.
	uploadTime = 60 * time.Second
)

// Upload is a body that may be large. It may take longer than the server's ReadTimeout, as long as
// it comes at a pace.
type Upload struct {
	body  io.Reader
	c     echo.Context
	conn  *http.ResponseController // of this very response: echo uses its own again
	piece *time.Timer
	whole *time.Timer
	came  int // bytes of the piece that is under way

	mu    sync.Mutex
	ended bool
	read  bool // to its end
}

// OpenUpload starts the upload of a request. End it before the response is written.
func OpenUpload(c echo.Context) *Upload {
	u := &Upload{
		body: c.Request().Body, c: c, conn: http.NewResponseController(c.Response().Writer),
	}
	// An error means that there is no connection, as in a test that has a recorder.
	_ = u.conn.SetReadDeadline(time.Time{})
	cut := u.cut
	u.piece = time.AfterFunc(pieceTime, cut)
	u.whole = time.AfterFunc(uploadTime, cut)
	return u
}

func (u *Upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	if u.came += n; u.came >= slowPiece {
		u.came %= slowPiece
		u.piece.Reset(pieceTime)
	}
	if err == io.EOF {
		u.read = true
	}
	return n, err
}

// cut ends a read that waits for the caller, and every later one.
func (u *Upload) cut() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.ended {
		_ = u.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// End ends the upload. When something is left of the body, the connection ends with the response.
// The server reads a little more of it, so that the sender hears the response, and is still cut.
func (u *Upload) End() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.whole.Stop()
	if u.read {
		u.ended = true
		u.piece.Stop()
		return
	}
	u.c.Response().Header().Set("Connection", "close")
	u.piece.Reset(time.Second)
}
