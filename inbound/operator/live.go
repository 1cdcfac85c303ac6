package operator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/cases"
	"smsbridge/internal/store"
)

const (
	// lookEvery is how late a page that is followed may be.
	lookEvery = 2 * time.Second
	// mostStreams is how many pages are followed at a time. Each reads the database now and then.
	mostStreams = 20
	// streamLooks is after how many looks a stream ends. The browser comes back by itself.
	streamLooks = 300
	// writeTime is how long a browser may take for one piece.
	writeTime = 10 * time.Second
)

// followCases sends the list of cases each time it changes.
func (d *Door) followCases(c echo.Context) error {
	return d.follow(c, func(ctx context.Context, v visitor) ([]byte, error) {
		return d.rowsOf(ctx, d.filterOf(c), v)
	})
}

// followCase sends the story of a case each time it changes.
func (d *Door) followCase(c echo.Context) error {
	f := followed{Case: cases.Case{ID: c.Param("id")}}
	return d.follow(c, func(ctx context.Context, _ visitor) ([]byte, error) {
		return web.Read(ctx, d.Store, f.story)
	})
}

// wholeLook is every how many looks a case is read although nothing seems to have happened: a reply
// that is not understood stirs nothing of it, nor does what happens while it is read.
const wholeLook = 60

// followed is a case as it was read last.
type followed struct {
	cases.Case
	stirred, looks int
	shown          []byte
}

// story is the story of the case, read anew when something has happened.
func (f *followed) story(ctx context.Context, view store.View) ([]byte, error) {
	stirred, err := f.Stirred(ctx, view)
	whole := f.looks%wholeLook == 0
	f.looks++
	if err != nil || stirred == f.stirred && !whole {
		return f.shown, err
	}
	data, err := findCase(ctx, view, f.ID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := templates()["case"].ExecuteTemplate(&out, "story", data.Case); err != nil {
		return nil, err
	}
	f.Case, f.shown = data.Case, out.Bytes()
	f.stirred, err = f.Stirred(ctx, view)
	return f.shown, err
}

// follow sends a part of a page each time it changes, as server-sent events. It does not count as a
// use of the session, and ends with it.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
func (d *Door) follow(
	c echo.Context, part func(ctx context.Context, v visitor) ([]byte, error),
) error {
	v, err := d.who(c)
	if err != nil && isUnknown(err) {
		return c.NoContent(http.StatusNoContent) // the browser stops to ask
	}
	if d.streams.Add(1) > mostStreams {
		d.streams.Add(-1)
		return c.NoContent(http.StatusNoContent)
	}
	defer d.streams.Add(-1)
	c.Response().Header().Set(echo.HeaderContentType, "text/event-stream")
	if err != nil {
		return nil // the browser asks again
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen [sha256.Size]byte
	for range streamLooks {
		rows, err := part(c.Request().Context(), v)
		if err != nil {
			return nil // what was sent stays on the page; the browser asks again
		}
		if sum := sha256.Sum256(rows); sum != seen {
			if seen = sum; d.send(c, rows) != nil {
				return nil
			}
		}
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-tick.C:
		}
		if _, err := d.who(c); err != nil || d.Over() {
			return nil
		}
	}
	return nil
}

// rowsOf are the rows of the list, as the page has them.
func (d *Door) rowsOf(ctx context.Context, f cases.Filter, v visitor) ([]byte, error) {
	data, err := d.listCases(ctx, f, "")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = templates()["cases"].ExecuteTemplate(&out, "rows", page{Who: v, Now: data.Now, Data: data})
	return out.Bytes(), err
}

// send writes an event. A browser that does not take it is cut off.
func (d *Door) send(c echo.Context, rows []byte) error {
	conn := http.NewResponseController(c.Response().Writer)
	_ = conn.SetWriteDeadline(time.Time{}) // the server's is for a whole response
	cut := time.AfterFunc(writeTime, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer cut.Stop()
	lines := strings.Split(strings.TrimSpace(string(rows)), "\n")
	_, err := fmt.Fprintf(c.Response(), "event: cases\ndata: %s\n\n", strings.Join(lines, "\ndata: "))
	if err == nil {
		err = conn.Flush()
	}
	return err
}
